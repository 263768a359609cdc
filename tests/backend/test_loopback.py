"""Whose calls a backend on loopback takes, directly and behind a reverse proxy.

It never opens a port: the application is called in this process.
"""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from backend.api.loopback import LoopbackHosts

NAMES = ("Parley.bank.example",)


async def _answer(_request: Request) -> Response:
    return PlainTextResponse("in")


async def _status(names: tuple[str, ...], host: str) -> int:
    app = LoopbackHosts(Starlette(routes=[Route("/", _answer)]), names)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return (await client.get("/", headers={"Host": host})).status_code


@pytest.mark.parametrize("host", ["parley.bank.example", "PARLEY.bank.example:443", "127.0.0.1:80"])
async def test_the_proxys_name_and_loopback_are_let_in(host: str) -> None:
    assert await _status(NAMES, host) == 200


@pytest.mark.parametrize("host", ["bank.example", "parley.bank.example.evil.example", ""])
async def test_names_nobody_set_are_refused(host: str) -> None:
    assert await _status(NAMES, host) == 400


async def test_without_a_proxys_name_only_loopback_is_let_in() -> None:
    assert await _status((), "parley.bank.example") == 400
