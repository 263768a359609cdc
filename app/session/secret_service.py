"""Reads one secret of this session's Secret Service over D-Bus, in a few milliseconds.

It never writes, unlocks or asks: whatever is not plainly there is left to the keyring library,
which takes ten times as long to be imported.

The secret crosses the session's own socket in a `plain` session, as the specification allows
(https://specifications.freedesktop.org/secret-service/latest/transfer-secrets.html): whoever may
listen there may ask the service for it, too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

_NAME = "org.freedesktop.secrets"
_PATH = "/org/freedesktop/secrets"
_SERVICE = "org.freedesktop.Secret.Service"
_ITEM = "org.freedesktop.Secret.Item"
_ANSWER_WITHIN_S = 1.0


def read_at_once(service: str, user: str) -> str | None:
    """Return the secret that the keyring library keeps under `service` and `user`.

    None when this system has no such service, it is locked, slow or holds nothing of that name,
    or when the user has chosen another keyring; nothing is raised for any of these.
    """
    if not _is_usual():
        return None
    try:
        from jeepney.io.blocking import open_dbus_connection

        with open_dbus_connection("SESSION") as connection:
            return _read(connection, {"service": service, "username": user})
    except (ImportError, OSError, KeyError, ValueError, TypeError):
        return None


def _is_usual() -> bool:
    """Tell whether the keyring library would take the Secret Service without further ado."""
    if sys.platform != "linux" or "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
        return False
    if any(name.startswith(("PYTHON_KEYRING", "KEYRING_PROPERTY")) for name in os.environ):
        return False
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return not (Path(config) / "python_keyring" / "keyringrc.cfg").exists()


def _read(connection: Any, attributes: dict[str, str]) -> str | None:
    found = _ask(connection, _PATH, _SERVICE, "SearchItems", "a{ss}", (attributes,))
    if not found or not found[0]:
        return None
    session = _ask(connection, _PATH, _SERVICE, "OpenSession", "sv", ("plain", ("s", "")))
    if not session:
        return None
    secret = _ask(connection, found[0][0], _ITEM, "GetSecret", "o", (session[1],))
    return bytes(secret[0][2]).decode() if secret else None


def _ask(
    connection: Any, path: str, interface: str, method: str, signature: str, body: tuple[Any, ...]
) -> tuple[Any, ...] | None:
    """Return what a method answers, None when it refuses; raises TimeoutError."""
    from jeepney import DBusAddress, MessageType, new_method_call

    address = DBusAddress(path, bus_name=_NAME, interface=interface)
    call = new_method_call(address, method, signature, body)
    reply = connection.send_and_get_reply(call, timeout=_ANSWER_WITHIN_S)
    if reply.header.message_type is MessageType.error:
        return None
    answer: tuple[Any, ...] = reply.body
    return answer
