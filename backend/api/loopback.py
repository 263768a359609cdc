"""Owns the refusal of calls that were meant for another host than this computer.

It never takes the place of the token: it only keeps a web page out whose name was turned to
loopback (DNS rebinding), also where no token is asked for. A reverse proxy on this computer may
pass on calls for the names it was told.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.api.answers import problem_answer
from contract.problems import ProblemCode


class LoopbackHosts:
    """Passes on what names a loopback address, localhost or one of `names` as its one host."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = frozenset({"localhost", *(name.lower() for name in names)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call for another host with a problem document, else pass it on."""
        if scope["type"] == "http" and not _is_meant(scope, self._names):
            detail = "This backend answers on this computer alone."
            answer = problem_answer(ProblemCode.BAD_REQUEST, detail, "")
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_meant(scope: Scope, names: frozenset[str]) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    try:
        host = urlsplit(f"//{hosts[0].decode('ascii')}").hostname if len(hosts) == 1 else None
        return host in names or ip_address(host or "").is_loopback
    except ValueError:
        return False
