"""The master key of this computer's data, kept in the system's keyring or behind a passphrase.

It never writes a key in clear to a file and never makes a new key for data that exists.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from app.domain.errors import DiskFull, EnvironmentFault, KeyLost, KeyringLocked, WrongKey

KEY_SIZE_BYTES = 32
WRAPPED_KEY_FILE = "key.wrapped"
INSTANCE_FILE = "key.instance"
_KEPT_PREFIX = "kept-"
_INSTANCE_BYTES = 8
_STAYS = frozenset({"parley.lock"})


class DataFolder(Protocol):
    """What the vault needs of the application's paths."""

    @property
    def data_dir(self) -> Path:
        """The local, non-roaming folder of the databases."""
        ...

    @property
    def outbox_dir(self) -> Path:
        """The folder of the outbox file, often the same."""
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
    """Finds, makes and forgets the master key of one data folder.

    Calls may wait for the keyring's prompt or stretch a passphrase: run them off the loop.
    """

    def load_or_create(self, paths: DataFolder) -> MasterKey:
        """Return the key kept in the keyring, making one for folders without data.

        Its name lies in both folders, so that either of them may be wiped: where they name two
        keys the outbox's counts, and the cache of the other one is put aside.

        Raises KeyringMissing (no keyring here), KeyringLocked (also when this folder's key is
        behind a passphrase), KeyLost (data is here, its key is not; nothing is changed), WrongKey
        (two keys, and unsent messages under each).
        """
        from app.session import os_keyring

        if self.uses_passphrase(paths):
            raise KeyringLocked("the key is behind a passphrase")
        instance = named_key(paths)
        if instance is not None:
            packed = os_keyring.read_secret(_user(instance))
            if packed is not None:
                key = MasterKey(_unpacked(packed))
                _name_key(paths, instance)
                return key
        if _has_data(paths):
            raise KeyLost("the keyring holds no key for this data")
        key = MasterKey(os.urandom(KEY_SIZE_BYTES))
        instance = os.urandom(_INSTANCE_BYTES).hex()
        os_keyring.write_secret(_user(instance), base64.b64encode(key.secret).decode("ascii"))
        _name_key(paths, instance)
        return key

    def unlock_with_passphrase(self, paths: DataFolder, passphrase: str) -> MasterKey:
        """Return the key wrapped in `key.wrapped`, made when the folders have no data yet.

        Raises PassphraseWrong, KeyLost (data is here but no readable `key.wrapped`), DiskFull.
        """
        from app.session.wrapped_key import unwrap, wrap

        path = _wrapped_key(paths)
        if path is not None:
            key = MasterKey(unwrap(path, passphrase))
            _spread(path, paths)
            return key
        if _has_data(paths):
            raise KeyLost("this data's key is not behind a passphrase")
        key = MasterKey(os.urandom(KEY_SIZE_BYTES))
        paths.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = paths.data_dir / WRAPPED_KEY_FILE
        wrap(path, key.secret, passphrase)
        _spread(path, paths)
        return key

    def uses_passphrase(self, paths: DataFolder) -> bool:
        """Return True when this folder's key is behind a passphrase."""
        return _wrapped_key(paths) is not None

    def start_anew(self, paths: DataFolder) -> Path:
        """Move the data whose key is lost into a folder of its own; return that folder.

        Call it only on the user's word, with no store open. Raises EnvironmentFault.
        """
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = paths.data_dir / f"{_KEPT_PREFIX}{stamp}"
        try:
            for source in dict.fromkeys((paths.data_dir, paths.outbox_dir)):
                target = kept if source == paths.data_dir else source / kept.name
                target.mkdir(parents=True, mode=0o700)
                for entry in sorted(source.iterdir()):
                    if entry.name not in _STAYS and not entry.name.startswith(_KEPT_PREFIX):
                        entry.rename(target / entry.name)
        except OSError as error:
            raise _fault(error, kept) from error
        return kept

    def forget(self, paths: DataFolder) -> None:
        """Remote wipe: remove the key from the keyring and the wrapped key's file.

        Without it the databases are noise. Raises KeyringMissing, KeyringLocked.
        """
        from app.session import os_keyring

        for folder in both(paths):
            (folder / WRAPPED_KEY_FILE).unlink(missing_ok=True)
        instance = named_key(paths)
        if instance is not None:
            os_keyring.delete_secret(_user(instance))


def both(paths: DataFolder) -> tuple[Path, ...]:
    """Return the folders that hold data, the outbox's first; once where they are one."""
    return tuple(dict.fromkeys((paths.outbox_dir, paths.data_dir)))


def named_key(paths: DataFolder) -> str | None:
    """Return by which name the folders' key is kept in the keyring, None when none is named."""
    return next(filter(None, map(_read_instance, both(paths))), None)


def _name_key(paths: DataFolder, instance: str) -> None:
    """Write the key's name wherever it is not; what another key keeps is put aside first."""
    for folder in both(paths):
        known = _read_instance(folder)
        if known not in {None, instance}:
            _put_cache_aside(folder)
        if known != instance:
            _write_instance(folder, instance)


def _put_cache_aside(folder: Path) -> None:
    """Keep a cache of another key out of the way; raises WrongKey where it is no mere cache.

    The backend can send again what was in it.
    """
    if (folder / "outbox.db").exists():
        raise WrongKey("two keys are named, and both folders hold unsent messages")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = folder / f"{_KEPT_PREFIX}{stamp}"
    try:
        kept.mkdir(mode=0o700)
        for entry in sorted(folder.iterdir()):
            if entry.name not in _STAYS and not entry.name.startswith(_KEPT_PREFIX):
                entry.rename(kept / entry.name)
    except OSError as error:
        raise _fault(error, kept) from error


def new_file(path: Path) -> BinaryIO:
    """Return a file to write that its user alone can read; raises OSError.

    What lies there is removed first, so that nothing is written through a link: a folder on a
    share may be one in which others can write.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _wrapped_key(paths: DataFolder) -> Path | None:
    found = (folder / WRAPPED_KEY_FILE for folder in both(paths))
    return next((path for path in found if path.exists()), None)


def _spread(path: Path, paths: DataFolder) -> None:
    """Have the wrapped key in both folders: either of them may be wiped."""
    content = path.read_bytes()
    for folder in both(paths):
        target = folder / WRAPPED_KEY_FILE
        if target != path and not target.exists():
            draft = target.with_name(f"{target.name}.new")
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                with new_file(draft) as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(target)
            except OSError as error:
                raise _fault(error, target) from error


def _user(instance: str) -> str:
    return f"database key {instance}"


def _unpacked(packed: str) -> bytes:
    try:
        secret = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyLost("the keyring's entry is not a key") from error
    if len(secret) != KEY_SIZE_BYTES:
        raise KeyLost("the keyring's entry is not a key")
    return secret


def _has_data(paths: DataFolder) -> bool:
    """Return True when any database lies in the folders, apart from those kept aside."""
    for folder in {paths.data_dir, paths.outbox_dir}:
        for found in folder.rglob("*.db"):
            parts = found.relative_to(folder).parts
            if not parts[0].startswith(_KEPT_PREFIX) and found.stat().st_size:
                return True
    return False


def _read_instance(folder: Path) -> str | None:
    try:
        return (folder / INSTANCE_FILE).read_text("ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"{INSTANCE_FILE} can't be read") from error


def _write_instance(folder: Path, instance: str) -> None:
    path = folder / INSTANCE_FILE
    draft = path.with_name(f"{path.name}.new")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with new_file(draft) as file:
            file.write(instance.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise _fault(error, path) from error


def _fault(error: OSError, path: Path) -> EnvironmentFault:
    if error.errno == errno.ENOSPC:
        return DiskFull(path.name)
    return EnvironmentFault(f"{path.name}: {error.strerror}")
