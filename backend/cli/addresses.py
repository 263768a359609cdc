"""The reading of addresses to listen on from the command line.

It never opens a socket.
"""

from __future__ import annotations

import ipaddress

from backend.workspace_errors import WorkspaceError


def address_of(listen: str, *, loopback_only: bool) -> tuple[str, int]:
    """Return host and port of HOST:PORT with an IPv4 address; raises WorkspaceError."""
    host, _, port = listen.rpartition(":")
    try:
        address = ipaddress.IPv4Address(host)
        if address.is_loopback or not loopback_only:
            return host, int(port)
    except ValueError:
        pass
    kind = "a loopback address only" if loopback_only else "an IPv4 address and a port"
    raise WorkspaceError(f"--listen takes {kind}, such as 127.0.0.1:0.")
