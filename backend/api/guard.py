"""Owns what happens around every call: request id, client's version, sign-in, key, size, faults.

It never knows what an operation does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from backend.api.answers import fault_answer
from backend.api.auth import token_hash
from backend.api.bearer import bearer_of
from backend.api.operation import Call, Operation
from backend.directory.people import read_me
from backend.refusals import Refused
from backend.services import Services
from contract import api
from contract.ids import uuid7
from contract.problems import ProblemCode
from contract.versions import is_older
from contract.wire import Me, Role

MAX_BODY_BYTES = 256 * 1024
WRITERS = frozenset({Role.EMPLOYEE, Role.SUPERVISOR})
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")

Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(operation: Operation, services: Services) -> Endpoint:
    """Return the Starlette endpoint of an operation; it answers every fault as a problem."""

    async def endpoint(request: Request) -> Response:
        request_id = request_id_of(request, services)
        call = Call(request, services, request_id, operation)
        try:
            answer = await _carry_out(call)
        except ClientDisconnect:
            answer = Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - the top of a request: answered and logged
            answer = fault_answer(error, request_id)
        answer.headers[api.REQUEST_ID] = request_id
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return endpoint


def request_id_of(request: Request, services: Services) -> str:
    """Return the client's request id when it is fit to be echoed, else a new one."""
    given = request.headers.get(api.REQUEST_ID, "")
    if _REQUEST_ID.fullmatch(given):
        return given
    return uuid7(services.now_utc_ms(), os.urandom(10))


async def _carry_out(call: Call) -> Response:
    operation = call.operation
    if not operation.any_version:
        _check_version(call.request, call.services)
    if not operation.public:
        call = replace(call, caller=await _caller(call))
    if operation.command:
        if operation.needs_writer and not WRITERS & set(call.me.roles):
            raise Refused(ProblemCode.FORBIDDEN, "Your role may read but not write here.")
        call = replace(call, idempotency_key=_key(call.request))
    if operation.method != "GET" and not operation.raw_body:
        call = replace(call, body=await _body(call.request))
    return await operation.handler(call)


async def _caller(call: Call) -> Me:
    token = bearer_of(call.request)
    employee_id = await call.services.auth.employee_of(token) if token else None
    me = None
    if employee_id is not None:
        known = employee_id
        me = await call.services.database.read(lambda connection: read_me(connection, known))
    if me is None:
        raise Refused(ProblemCode.UNAUTHENTICATED, "Sign in again: the access token is not valid.")
    services = call.services
    now_utc_ms, scheme = services.now_utc_ms(), services.auth.scheme
    await services.sign_ins.note(me, token_hash(token), scheme, now_utc_ms)
    return me


def _check_version(request: Request, services: Services) -> None:
    lowest = services.settings.client_versions.minimum
    if is_older(request.headers.get(api.CLIENT_VERSION, ""), lowest):
        raise Refused(
            ProblemCode.CLIENT_TOO_OLD, f"This Parley is too old: update it to {lowest} or newer."
        )


def _key(request: Request) -> str:
    key = request.headers.get(api.IDEMPOTENCY_KEY, "")
    if not key:
        raise Refused(
            ProblemCode.IDEMPOTENCY_KEY_MISSING, f"A command needs an {api.IDEMPOTENCY_KEY} header."
        )
    if _KEY.fullmatch(key) is None:
        raise Refused(
            ProblemCode.BAD_REQUEST, f"{api.IDEMPOTENCY_KEY} must be 1 to 200 visible characters."
        )
    return key


async def _body(request: Request) -> bytes:
    pieces: list[bytes] = []
    size_bytes = 0
    async for piece in request.stream():
        size_bytes += len(piece)
        if size_bytes > MAX_BODY_BYTES:
            raise Refused(
                ProblemCode.TOO_LARGE, f"A request may hold at most {MAX_BODY_BYTES} bytes."
            )
        pieces.append(piece)
    return b"".join(pieces)
