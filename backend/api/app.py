"""Owns the putting together of the HTTP application from operations and services.

It never opens a database or a socket: the command line does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.api.answers import problem_answer
from backend.api.guard import Endpoint, guarded, request_id_of
from backend.api.openapi import openapi_bytes
from backend.api.operation import JSON
from backend.api.operations import OPERATIONS
from backend.services import Services
from contract import api
from contract.problems import ProblemCode


def create_app(services: Services) -> Starlette:
    """Return the application; while its lifespan runs, commits wake the event streams.

    Whoever stops the server closes the notifier first, so that open streams end.
    """
    document = openapi_bytes()

    async def openapi(_request: Request) -> Response:
        return Response(document, media_type=JSON)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        unsubscribe = services.database.on_commit(services.notifier.wake)
        try:
            yield
        finally:
            unsubscribe()
            services.notifier.close()

    async def on_http_fault(request: Request, error: Exception) -> Response:
        return _http_fault(services, request, error)

    by_path: dict[str, dict[str, Endpoint]] = {api.OPENAPI: {"GET": openapi}}
    for operation in OPERATIONS:
        methods = by_path.setdefault(operation.path, {})
        methods[operation.method] = guarded(operation, services)
    return Starlette(
        routes=[_route(path, methods) for path, methods in by_path.items()],
        lifespan=lifespan,
        exception_handlers={HTTPException: on_http_fault},
    )


def _route(path: str, methods: dict[str, Endpoint]) -> Route:
    """Return one route for all methods of a path, so that a refused method is told them all."""

    async def dispatch(request: Request) -> Response:
        return await methods[request.method](request)

    # A tile's path has slashes of its own.
    path = path.replace("{tile_path}", "{tile_path:path}")
    route = Route(path, dispatch, methods=sorted(methods))
    route.methods = set(methods)  # without HEAD: it would run an endless stream for nothing
    return route


def _http_fault(services: Services, request: Request, error: Exception) -> Response:
    """Answer what the router refuses: an unknown path, or a method the path does not know."""
    request_id = request_id_of(request, services)
    status = error.status_code if isinstance(error, HTTPException) else 400
    code, detail = {
        404: (ProblemCode.NOT_FOUND, "There is no such address in this API."),
        405: (ProblemCode.METHOD_NOT_ALLOWED, "This address does not take that method."),
    }.get(status, (ProblemCode.BAD_REQUEST, "The request can't be read."))
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    answer = problem_answer(code, detail, request_id, headers=headers)
    answer.headers[api.REQUEST_ID] = request_id
    return answer
