"""Owns which proxy leads to a backend: the one that is set, the system's, or the environment's.

It never asks the system twice for the connections of one network, and never for loopback.
"""

from __future__ import annotations

from collections.abc import Callable

from backend_client.endpoint import BackendEndpoint

FindProxy = Callable[[str], str | None]


class ProxyChoice:
    """`find` tells the system's proxy for an address: "" for none, None when it is not known."""

    def __init__(self, find: FindProxy | None = None) -> None:
        self._find = find
        self._found: tuple[str, str | None] | None = None

    def lead_to(self, endpoint: BackendEndpoint) -> str | None:
        """Return the proxy's address, "" for none, None to have the environment's read.

        Call it on a worker thread: the system may take seconds to answer.
        """
        if endpoint.is_loopback or not (endpoint.proxy or endpoint.system_proxy):
            return ""
        if endpoint.proxy or self._find is None:
            return endpoint.proxy
        known = self._found
        if known is None or known[0] != endpoint.url:
            known = self._found = (endpoint.url, self._find(endpoint.url))
        return known[1]

    def forget(self) -> None:
        """Ask anew the next time: the network may be another one."""
        self._found = None
