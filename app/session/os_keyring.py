"""Reads and writes secrets in the operating system's keyring.

It never falls back to a keyring that keeps secrets in clear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.errors import EnvironmentFault, KeyringLocked, KeyringMissing

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "Parley"


def read_secret(user: str) -> str | None:
    """Return a secret or None; may wait for the system's unlock prompt.

    Raises KeyringMissing, KeyringLocked.
    """
    from app.session.secret_service import read_at_once

    if (secret := read_at_once(SERVICE, user)) is not None:
        return secret
    from keyring.errors import KeyringError

    backend = _backend()
    try:
        return backend.get_password(SERVICE, user)
    except KeyringError as error:
        raise _translate(error) from error


def write_secret(user: str, secret: str) -> None:
    """Keep a secret and make sure that it can be read again; raises as `read_secret`."""
    from keyring.errors import KeyringError

    backend = _backend()
    try:
        backend.set_password(SERVICE, user, secret)
    except KeyringError as error:
        raise _translate(error) from error
    if read_secret(user) != secret:
        raise KeyringMissing("the keyring did not keep the key")


def delete_secret(user: str) -> None:
    """Remove a secret; nothing happens when it is not there. Raises as `read_secret`."""
    from keyring.errors import KeyringError, PasswordDeleteError

    backend = _backend()
    try:
        backend.delete_password(SERVICE, user)
    except PasswordDeleteError:
        return
    except KeyringError as error:
        raise _translate(error) from error


def _backend() -> KeyringBackend:
    """Return the system's keyring; raises KeyringMissing when there is none worth the name."""
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    kept_in_clear = type(backend).__name__ == "PlaintextKeyring"
    if kept_in_clear or isinstance(backend, fail.Keyring | null.Keyring):
        raise KeyringMissing("this session has no keyring")
    return backend


def _translate(error: Exception) -> EnvironmentFault:
    from keyring.errors import InitError, NoKeyringError

    if isinstance(error, NoKeyringError):
        return KeyringMissing("this session has no keyring")
    if isinstance(error, InitError):
        return KeyringLocked("the keyring could not be opened")
    return KeyringLocked(f"the keyring refused: {type(error).__name__}")
