"""The committed OpenAPI document is the one the code makes, and it is sound.

It checks the document only; what the API answers is fuzzed with the backend.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from backend.api.openapi import openapi_bytes, openapi_document
from backend.api.operations import OPERATIONS
from contract import api

COMMITTED = Path(api.__file__).parent / "openapi.json"


def references(value: Any) -> set[str]:
    """Return every $ref in a document."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(references(one) for one in value))
    return set()


def test_committed_document_is_the_one_the_code_makes() -> None:
    assert COMMITTED.read_bytes() == openapi_bytes(), (
        "contract/openapi.json is not up to date: run `python -m backend openapi`."
    )


def test_every_path_of_the_contract_is_described_and_nothing_else() -> None:
    named = {
        value
        for name, value in vars(api).items()
        if name.isupper() and isinstance(value, str) and value.startswith("/") and name != "PREFIX"
    }
    assert set(openapi_document()["paths"]) == named


def test_every_reference_leads_somewhere_and_every_schema_is_sound() -> None:
    document = json.loads(openapi_bytes())
    schemas = document["components"]["schemas"]
    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_command_needs_a_key_and_every_call_may_be_refused() -> None:
    paths = openapi_document()["paths"]
    for operation in OPERATIONS:
        described = paths[operation.path][operation.method.lower()]
        keys = [one for one in described["parameters"] if one["name"] == api.IDEMPOTENCY_KEY]
        assert [one["required"] for one in keys] == ([True] if operation.command else [])
        problems = described["responses"]["500"]["content"]
        assert list(problems) == ["application/problem+json"]
        assert ("401" in described["responses"]) is not operation.public


def test_operation_names_are_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)
