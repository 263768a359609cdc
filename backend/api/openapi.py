"""Owns the OpenAPI 3.1 document, built from the operations and the wire structs' schemas.

It never describes what the routes do not do: both come from one list.
"""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from backend.api.operation import JSON, Answer, Operation, Parameter
from backend.api.operations import OPERATIONS, problems_of
from contract import api
from contract.problems import PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, Problem
from contract.wire import API_VERSION

Document = dict[str, Any]
_REF = "#/components/schemas/{name}"
_OCTETS = "application/octet-stream"
_KEY = Parameter(
    api.IDEMPOTENCY_KEY,
    "header",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "The same key with the same bytes gets the same reply; with other bytes 422.",
    required=True,
)
_COMMON = (
    Parameter(
        api.REQUEST_ID,
        "header",
        {"type": "string"},
        "Echoed in the reply when it is 1 to 128 visible characters, for support.",
    ),
    Parameter(
        api.CLIENT_VERSION,
        "header",
        {"type": "string"},
        "The client's version, such as 1.2.3; one below min_client_version gets 426 from every"
        " call but that for the capabilities.",
    ),
)


def openapi_document() -> Document:
    """Return the whole document as plain JSON values, equal for equal code."""
    kinds: set[type[msgspec.Struct]] = {Problem}
    for operation in OPERATIONS:
        kinds |= {answer.kind for answer in operation.answers.values() if answer.kind}
        if operation.body is not None:
            kinds.add(operation.body)
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    for component in components.values():
        # Python 3.13 strips a docstring's indentation itself: the document is the same on all.
        if "description" in component:
            component["description"] = inspect.cleandoc(component["description"])
    paths: Document = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    paths[api.OPENAPI] = {"get": _own_operation()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley governed API",
            "version": API_VERSION,
            "description": "Decides, archives, then delivers. Times are UTC milliseconds.",
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def openapi_bytes() -> bytes:
    """Return the document as it is committed and served: sorted, indented, newline at the end."""
    encoded = msgspec.json.encode(openapi_document(), order="sorted")
    return msgspec.json.format(encoded, indent=2) + b"\n"


def _operation(operation: Operation) -> Document:
    described: Document = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [_parameter(one) for one in _parameters(operation)],
        "responses": {
            **{str(status): _answer(one) for status, one in operation.answers.items()},
            **_problems(operation),
        },
    }
    if operation.public:
        described["security"] = []
    if operation.body is not None:
        schema = {"$ref": _REF.format(name=operation.body.__name__)}
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    elif operation.raw_body:
        described["requestBody"] = {"required": True, "content": {_OCTETS: {}}}
    return described


def _parameters(operation: Operation) -> list[Parameter]:
    in_path = [
        Parameter(part[1:-1], "path", {"type": "string"}, "An opaque id.", required=True)
        for part in operation.path.split("/")
        if part.startswith("{")
    ]
    key = [_KEY] if operation.command else []
    return [*in_path, *operation.parameters, *key, *_COMMON]


def _parameter(parameter: Parameter) -> Document:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.about,
        "schema": dict(parameter.schema),
    }


def _answer(answer: Answer) -> Document:
    described: Document = {"description": answer.about, "headers": _headers(answer)}
    if answer.kind is not None:
        schema: Document = {"$ref": _REF.format(name=answer.kind.__name__)}
        described["content"] = {answer.media_type: {"schema": schema}}
    elif answer.media_type:
        described["content"] = {answer.media_type: {}}
    return described


def _headers(answer: Answer) -> Document:
    told = {api.REQUEST_ID: "The request's id, for support", **answer.headers}
    return {
        name: {"description": about, "schema": {"type": "string"}} for name, about in told.items()
    }


def _problems(operation: Operation) -> Document:
    by_status: dict[int, list[str]] = {}
    for code in sorted(problems_of(operation)):
        by_status.setdefault(PROBLEM_STATUS[code], []).append(code.value)
    if operation.name == "download":
        by_status[416] = ["bad_request"]
    return {
        str(status): {
            "description": "Problem: " + ", ".join(codes),
            "content": {
                PROBLEM_MEDIA_TYPE: {"schema": {"$ref": _REF.format(name=Problem.__name__)}}
            },
        }
        for status, codes in sorted(by_status.items())
    }


def _own_operation() -> Document:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "parameters": [],
        "security": [],
        "responses": {"200": {"description": "The document", "content": {JSON: {}}}},
    }
