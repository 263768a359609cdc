"""Owns which proxy leads to a backend: the one that is set, the system's, or the environment's.

It never asks the system twice for the connections of one network, and never for loopback.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from backend_client.endpoint import BackendEndpoint

FindProxy = Callable[[str], str | None]
# By SOCKS nothing here speaks.
PROXY_SCHEMES = frozenset({"http", "https"})


class ProxyChoice:
    """`find` tells the system's proxy for an address: "" for none, None when it is not known."""

    def __init__(self, find: FindProxy | None = None) -> None:
        self._find = find
        self._found: tuple[str, str | None] | None = None

    def lead_to(self, endpoint: BackendEndpoint) -> str:
        """Return the proxy's address, "" for none.

        Call it on a worker thread: the system may take seconds to answer. Raises ValueError where
        the environment names a proxy that can't be used.
        """
        if endpoint.is_loopback or not (endpoint.proxy or endpoint.system_proxy):
            return ""
        if endpoint.proxy:
            return endpoint.proxy
        known = self._found
        if known is None or known[0] != endpoint.url:
            found = self._find(endpoint.url) if self._find is not None else None
            known = self._found = (endpoint.url, found)
        return environment_proxy(endpoint.url) if known[1] is None else known[1]

    def forget(self) -> None:
        """Ask anew the next time: the network may be another one."""
        self._found = None


def environment_proxy(url: str) -> str:
    """Return the proxy that the environment names for an address, "" for none.

    On Windows and macOS also a fixed one of the system's, as Python reads it. Others than the one
    for this address are not looked at. Raises ValueError for one that can't be used.
    """
    from urllib.request import getproxies, proxy_bypass  # here: it costs the start

    named, parts = getproxies(), urlsplit(url)
    found = named.get(parts.scheme) or named.get("all", "")
    direct = "*" in (word.strip() for word in named.get("no", "").split(","))
    if not found or direct or any(map(proxy_bypass, (parts.netloc, parts.hostname or ""))):
        return ""
    proxy = urlsplit(found if "://" in found else f"http://{found}")
    if proxy.scheme not in PROXY_SCHEMES or not proxy.hostname:
        raise ValueError("The environment names a proxy that can't be used.")
    return proxy.geturl()
