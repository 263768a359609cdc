"""Takes every network beyond loopback away from the test process.

It does not guard processes a test starts; those get loopback addresses only.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest

_LOCAL_NAMES = {"", "localhost", "ip6-localhost", "0.0.0.0", "::"}


class NetworkBeyondLoopback(AssertionError):
    """A test tried to reach something that is not this machine."""


def is_loopback(host: object) -> bool:
    """Tell whether a host name or address stays on this machine."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name.lower() in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback_only() -> Iterator[list[str]]:
    """Refuse connections and look-ups beyond loopback; yield the list of refused hosts.

    Names below `.invalid` (RFC 6761) fail to resolve as they do everywhere, and are not listed.
    """
    refused: list[str] = []
    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex
    real_sendto, real_lookup = socket.socket.sendto, socket.getaddrinfo

    def refuse(host: object) -> NoReturn:
        if str(host).rstrip(".").endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        refused.append(str(host))
        raise NetworkBeyondLoopback(f"A test tried to reach {host!r}; only loopback is allowed.")

    def check(address: object) -> None:
        if isinstance(address, tuple) and not is_loopback(address[0]):
            refuse(address[0])

    def connect(self: socket.socket, address: Any) -> None:
        check(address)
        real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return real_connect_ex(self, address)

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        check(rest[-1])
        return real_sendto(self, data, *rest)

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        if not is_loopback(host):
            refuse(host)
        return real_lookup(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket.socket, "sendto", sendto)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield refused
