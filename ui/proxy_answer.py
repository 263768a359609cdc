"""The command that says which proxy this system uses for an address, PAC scripts included.

It never makes a connection to that address, shows no window, and prints no password.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from PySide6.QtNetwork import QNetworkProxy

EXIT_NO_ANSWER = 20


def run_system_proxy(url: str, output: Path | None) -> int:
    """Print, or write to a file, the proxy's address, an empty line for none; return 0.

    20 when the system's word can't be had or used. Printed, a password is left out.
    """
    try:
        found = _first_usable(url)
    except ImportError:  # a bundle without Qt's network module
        found = None
    if found is None:
        sys.stderr.write("This system names no proxy that Parley can use.\n")
        return EXIT_NO_ANSWER
    if output is None:
        print(proxy_url(found, with_password=False))
        return 0
    try:
        output.write_text(proxy_url(found), "utf-8")
    except OSError:
        return EXIT_NO_ANSWER
    return 0


def _first_usable(url: str) -> QNetworkProxy | None:
    """Return the first proxy by HTTP, or none at all; None where there are only others (SOCKS)."""
    from PySide6.QtCore import QUrl
    from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

    named: Sequence[QNetworkProxy] = QNetworkProxyFactory.systemProxyForQuery(
        QNetworkProxyQuery(QUrl(url))
    )
    kinds = QNetworkProxy.ProxyType
    usable = (kinds.NoProxy, kinds.HttpProxy, kinds.HttpCachingProxy)
    return next((one for one in named if one.type() in usable), None)


def proxy_url(proxy: QNetworkProxy, *, with_password: bool = True) -> str:
    """Return a proxy as http://user:password@host:port, "" for none."""
    host = proxy.hostName()
    if not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    user, password = quote(proxy.user(), safe=""), quote(proxy.password(), safe="")
    signed = user if not (password and with_password) else f"{user}:{password}"
    return f"http://{signed}@{host}:{proxy.port()}" if user else f"http://{host}:{proxy.port()}"
