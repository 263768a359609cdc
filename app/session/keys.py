"""The master key of this computer's data, kept in the system's keyring or behind a passphrase.

It never writes a key in clear to a file and never makes a new key for data that exists.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

KEY_SIZE_BYTES = 32


class DataFolder(Protocol):
    """What the vault needs of the application's paths."""

    @property
    def data_dir(self) -> Path:
        """The local, non-roaming folder of the databases."""
        ...


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes from which every database key is derived."""

    secret: bytes = field(repr=False)

    def derive(self, label: str) -> bytes:
        """Return the 32-byte sub-key for a label (HKDF-Expand of RFC 5869, one block).

        Labels in use: `cache`, `outbox`, `backend`.
        """
        info = f"parley {label}".encode()
        return hmac.new(self.secret, info + b"\x01", hashlib.sha256).digest()


class KeyVault:
    """Finds, makes and forgets the master key of one data folder; calls may block for the
    keyring's prompt, so run them off the loop's thread."""

    def load_or_create(self, paths: DataFolder) -> MasterKey:
        """Return the key kept in the keyring, making one for a folder without data.

        Raises KeyringMissing (no keyring here), KeyringLocked, KeyLost (data is here, its key
        is not), PassphraseWrong never.
        """
        raise NotImplementedError

    def unlock_with_passphrase(self, paths: DataFolder, passphrase: str) -> MasterKey:
        """Return the key wrapped in `key.wrapped`, made when the folder has no data yet.

        Raises PassphraseWrong, KeyLost (data is here, `key.wrapped` is not).
        """
        raise NotImplementedError

    def uses_passphrase(self, paths: DataFolder) -> bool:
        """Return True when this folder's key is behind a passphrase."""
        raise NotImplementedError

    def start_anew(self, paths: DataFolder) -> Path:
        """Move the data whose key is lost into a folder of its own and return that folder."""
        raise NotImplementedError

    def forget(self, paths: DataFolder) -> None:
        """Remote wipe: remove the key from the keyring and the wrapped key file."""
        raise NotImplementedError
