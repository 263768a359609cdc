"""Owns how settings become the address of a backend and the way there.

It never chooses the embedded backend: no address means none is configured.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.settings.keys import Key
from app.settings.settings import Settings
from backend_client.endpoint import BackendEndpoint


def configured_endpoint(settings: Settings, token: str = "") -> BackendEndpoint | None:
    """Return the configured backend, None when no address is set.

    Raises Refused when the address can't be used, or was set where it can't be read: there is
    no fallback to another backend.
    """
    if doubt := settings.doubt(Key.BACKEND_URL) or settings.doubt(Key.EMBEDDED_BACKEND):
        raise Refused(f"A setting can't be used: {doubt}.")
    url = settings.text(Key.BACKEND_URL)
    if not url:
        return None
    mode = settings.text(Key.PROXY_MODE)
    proxy = settings.text(Key.PROXY_URL) if mode == "fixed" else ""
    if proxy and _bypassed(urlsplit(url).hostname or "", settings.texts(Key.PROXY_BYPASS)):
        proxy, mode = "", "none"
    try:
        return BackendEndpoint(
            url=url.rstrip("/"),
            token=token,
            ca_file=settings.text(Key.BACKEND_CA_FILE) or None,
            proxy=proxy or None,
            system_proxy=mode == "system",
        )
    except ValueError as fault:
        raise Refused(str(fault)) from fault


def _bypassed(host: str, bypass: tuple[str, ...]) -> bool:
    """Tell whether a host is reached directly: by its name, or below a name with a dot."""
    host = host.lower().rstrip(".")
    for entry in bypass:
        name = entry.lower().rstrip(".")
        if host == name.lstrip(".") or (name.startswith(".") and host.endswith(name)):
            return True
    return False
