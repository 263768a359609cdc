"""The command that says which proxy this system uses for an address, PAC scripts included.

It never makes a connection to that address, shows no window, and prints no password.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from app.system_proxy import named_by_environment, system_proxy

if TYPE_CHECKING:
    from PySide6.QtNetwork import QNetworkProxy

EXIT_NO_ANSWER = 20


def run_system_proxy(url: str, output: Path | None) -> int:
    """Print, or write to a file, the proxy's address, an empty line for none; return 0.

    20 when the system's word can't be had or used. Printed, a password is left out.
    """
    try:
        found = named_by_qt(url) if system_proxy() else named_by_environment(url)
    except (ImportError, ValueError):  # a bundle without Qt's network module; SOCKS
        found = None
    if found is None:
        sys.stderr.write("This system names no proxy that Parley can use.\n")
        return EXIT_NO_ANSWER
    if output is None:
        print(_without_password(found))
        return 0
    try:
        output.write_text(found, "utf-8")
    except OSError:
        return EXIT_NO_ANSWER
    return 0


def named_by_qt(url: str) -> str | None:
    """Return the first proxy by HTTP, "" for none; None where there are only others (SOCKS)."""
    from PySide6.QtCore import QUrl
    from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

    named: Sequence[QNetworkProxy] = QNetworkProxyFactory.systemProxyForQuery(
        QNetworkProxyQuery(QUrl(url))
    )
    kinds = QNetworkProxy.ProxyType
    usable = (kinds.NoProxy, kinds.HttpProxy, kinds.HttpCachingProxy)
    return next((_address(one) for one in named if one.type() in usable), None)


def _address(proxy: QNetworkProxy) -> str:
    """Return a proxy as http://user:password@host:port, "" for none."""
    host = proxy.hostName()
    if not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    user, password = quote(proxy.user(), safe=""), quote(proxy.password(), safe="")
    signed = f"{user}:{password}" if password else user
    return f"http://{signed}@{host}:{proxy.port()}" if user else f"http://{host}:{proxy.port()}"


def _without_password(proxy: str) -> str:
    parts = urlsplit(proxy)
    who, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{who.partition(':')[0]}{at}{host}").geturl()
