"""Owns the opening of Signal Desktop's database with the key that its owner hands over.

It never looks for a key by itself: no keychain is asked, no other folder searched.

Signal keeps the key in config.json: in plain hex until 2024, since then encrypted as Electron's
safeStorage does (Chromium's os_crypt): AES-128-CBC under a password of the system's keyring.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

import msgspec
import sqlcipher3.dbapi2 as sqlcipher
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from contract.imports.model import ImportedChat, ImportRefused
from contract.imports.signal_desktop import cut_signal, signal_chats

T = TypeVar("T")
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_SALT, _IV = b"saltysalt", b" " * 16
_BASIC_TEXT = b"peanuts"  # what Chromium takes where a system has no keyring: no secret
_ROUNDS = {"macos": 1003, "linux": 1}
_MOST_CONFIG_BYTES = 1024 * 1024
HOW = (
    "Signal keeps the key of its database in the system's keyring. On macOS write what "
    "`security find-generic-password -ws 'Signal Safe Storage'` prints, on Linux what "
    "`secret-tool lookup application Signal` prints, into a file as `macos:PASSWORD` or "
    "`linux:PASSWORD`, and give it with --signal-password-file. On Windows the key can be "
    "decrypted by the person's own sign-in alone: decrypt a copy of the database there with a tool "
    "that your firm approves; a decrypted copy is imported without any key."
)


class _Config(msgspec.Struct):
    key: str = ""
    encryptedKey: str = ""


def signal_key(told: bytes, password: str = "") -> str:
    """Return the database's key in hex from config.json, or from a file that holds it in hex.

    `password` is `macos:…` or `linux:…`, the keyring's. Raises ImportRefused.
    """
    plain = told[:_MOST_CONFIG_BYTES].decode("utf-8", "replace").strip()
    if _HEX_KEY.fullmatch(plain):
        return plain
    try:
        config = msgspec.json.decode(plain, type=_Config)
        if _HEX_KEY.fullmatch(config.key):
            return config.key
        sealed = bytes.fromhex(config.encryptedKey)
    except (msgspec.DecodeError, ValueError) as error:
        raise ImportRefused("This is not Signal's config.json, nor a key in hex.") from error
    system, _, secret = password.partition(":")
    if sealed[:3] == b"v10" and not password:
        system, secret = "linux", _BASIC_TEXT.decode()
    if sealed[:3] not in (b"v10", b"v11") or system not in _ROUNDS or not secret:
        raise ImportRefused(HOW)
    found = _opened_key(sealed[3:], secret.encode(), _ROUNDS[system])
    if _HEX_KEY.fullmatch(found) is None:
        raise ImportRefused("The password does not fit Signal's key. " + HOW)
    return found


class SignalDatabase:
    """Signal's encrypted database, opened for reading alone."""

    def __init__(self, path: Path, key: str) -> None:
        """Open it with a key in hex; raises ImportRefused for a wrong one."""
        self._connection = sqlcipher.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            self._connection.execute(f"PRAGMA key = \"x'{key}'\"")
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlcipher.Error as error:
            self._connection.close()
            raise ImportRefused("The key does not open this database of Signal.") from error

    def chats(self) -> tuple[ImportedChat, ...]:
        """Return all chats; raises ImportRefused."""
        return self._read(lambda: signal_chats(self._connection))

    def cut(self, chat_key: str) -> IO[bytes]:
        """Return one chat as a plain database; raises ImportRefused."""
        return self._read(lambda: io.BytesIO(cut_signal(self._connection, chat_key)))

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def _read(self, look: Callable[[], T]) -> T:
        try:
            return look()
        except sqlcipher.Error as error:
            raise ImportRefused("This database of Signal is damaged.") from error


def _opened_key(sealed: bytes, password: bytes, rounds: int) -> str:
    if not sealed or len(sealed) % 16:
        return ""
    derived = PBKDF2HMAC(SHA1(), 16, _SALT, rounds).derive(password)  # noqa: S303 -- Chromium's
    decryptor = Cipher(algorithms.AES(derived), modes.CBC(_IV)).decryptor()
    padded = decryptor.update(sealed) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    try:
        return (unpadder.update(padded) + unpadder.finalize()).decode("ascii")
    except ValueError:
        return ""
