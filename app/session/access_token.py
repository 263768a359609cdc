"""Owns the access token with which a person is signed in to their firm's backend.

It never writes one anywhere but into the system's keyring, one for each backend's address.
"""

from __future__ import annotations

from app.domain.errors import EnvironmentFault


def keep_token(backend_url: str, token: str) -> None:
    """Keep a token for a backend instead of the one before; raises KeyringMissing, KeyringLocked.

    It may wait for the system's unlock prompt: call it off the loop.
    """
    from app.session.os_keyring import write_secret

    write_secret(_user(backend_url), token)


def kept_token(backend_url: str) -> str:
    """Return the token kept for a backend, empty where there is none or no keyring to ask.

    It may wait for the system's unlock prompt: call it off the loop.
    """
    from app.session.os_keyring import read_secret

    try:
        return read_secret(_user(backend_url)) or ""
    except EnvironmentFault:
        return ""


def forget_token(backend_url: str) -> None:
    """Sign out of a backend; raises KeyringMissing, KeyringLocked."""
    from app.session.os_keyring import delete_secret

    delete_secret(_user(backend_url))


def _user(backend_url: str) -> str:
    return f"access token for {backend_url.rstrip('/')}"
