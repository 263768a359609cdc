"""Owns the shape of one operation of the API and of one call of it.

It never routes and never answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from backend.inbox.idempotency import CommandKey
from backend.refusals import Refused
from backend.services import Services
from contract.problems import ProblemCode
from contract.wire import Me

T = TypeVar("T")
JSON = "application/json"
JsonValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header of an operation, with its JSON schema."""

    name: str
    where: str
    schema: Mapping[str, JsonValue]
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its JSON type, or its media type when it is no JSON of ours."""

    about: str
    kind: type[msgspec.Struct] | None = None
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised call; `body` is the raw body of a command, empty otherwise."""

    request: Request
    services: Services
    request_id: str
    operation: Operation
    caller: Me | None = None
    body: bytes = b""
    idempotency_key: str = ""

    @property
    def me(self) -> Me:
        """Return the signed-in employee."""
        assert self.caller is not None, "a public operation has no caller"
        return self.caller

    @property
    def key(self) -> CommandKey:
        """Return the command's identity for the stored replies."""
        # The path is part of it, so that one key can't mean two things.
        return CommandKey.of(self.idempotency_key, self.request.url.path, self.body)

    def path(self, name: str) -> str:
        """Return a path parameter."""
        return str(self.request.path_params[name])

    def command(self, kind: type[T]) -> T:
        """Return the decoded body; raises Refused when it is not a `kind`."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            # A validation error names the field, never its value.
            told = str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"
            raise Refused(ProblemCode.BAD_REQUEST, f"The request can't be read: {told}.") from error

    def number(self, name: str, default: float, lowest: float, highest: float) -> float:
        """Return a numeric query parameter; raises Refused when it is out of range."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        try:
            value = float(text) if len(text) <= 32 and text.isascii() else float("nan")
        except ValueError:
            value = float("nan")
        if not lowest <= value <= highest:
            raise Refused(
                ProblemCode.BAD_REQUEST, f"{name} must be between {lowest:g} and {highest:g}."
            )
        return value

    def whole_number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole-number query parameter; raises Refused when it is none."""
        value = self.number(name, default, lowest, highest)
        if value != int(value):
            raise Refused(ProblemCode.BAD_REQUEST, f"{name} must be a whole number.")
        return int(value)


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path: what it takes, what it answers, and who carries it out.

    `command` operations need an Idempotency-Key and a role that may write; `keeps_reply` tells
    that the reply is stored under it. `problems` are the codes beside those every call may get.
    `any_version` is answered to a client of any version.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answers: Mapping[int, Answer]
    body: type[msgspec.Struct] | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[ProblemCode, ...] = ()
    public: bool = False
    command: bool = False
    needs_writer: bool = True
    any_version: bool = False
    raw_body: bool = False


def json_answer(value: msgspec.Struct, status: int = 200) -> Response:
    """Return a wire value as a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type=JSON)
