"""Owns where the backend is and how to prove who asks.

It never opens a connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class BackendEndpoint:
    """Base address, bearer token, and what the way there needs.

    `ca_file` names a PEM file to trust besides the system's authorities; `proxy` is a proxy
    URL; without one `system_proxy` allows the environment's. Loopback never uses either.
    Raises ValueError for an address that is not http(s), and for plain http beyond loopback:
    the token would travel readable.
    """

    url: str
    token: str = field(repr=False)
    ca_file: str | None = None
    proxy: str | None = None
    system_proxy: bool = True

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("The backend address must begin with https:// and name a host.")
        if parts.scheme == "http" and not self.is_loopback:
            raise ValueError("The backend address must use https:// outside this computer.")

    @property
    def is_loopback(self) -> bool:
        """Return True when the backend listens on this computer alone."""
        host = urlsplit(self.url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False
