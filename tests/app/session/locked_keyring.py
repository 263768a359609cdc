"""A process on a session bus of its own that locks its keyring and asks for the key.

It is no test: test_keys starts it, because a locked keyring would stay locked for others.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import secretstorage

from app.domain.errors import KeyringLocked
from app.session.keys import KeyVault


@dataclass(frozen=True)
class Folders:
    """One folder for both."""

    data_dir: Path
    outbox_dir: Path


def main() -> None:
    """Print `locked` when both an old and a new folder were told so."""
    known, fresh = (Folders(Path(each), Path(each)) for each in sys.argv[1:3])
    KeyVault().load_or_create(known)
    connection = secretstorage.dbus_init()
    secretstorage.get_default_collection(connection).lock()
    connection.close()
    for folders in (known, fresh):
        try:
            KeyVault().load_or_create(folders)
        except KeyringLocked:
            continue
        raise SystemExit("a locked keyring gave a key")
    print("locked")


if __name__ == "__main__":
    main()
