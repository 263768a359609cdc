"""Tests of the master key: keyring, passphrase, lost keys.

It never touches the user's own keyring: only that of a private session bus, or none.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from app.domain.errors import KeyLost, KeyringLocked, KeyringMissing, PassphraseWrong
from app.session import os_keyring, wrapped_key
from app.session.keys import INSTANCE_FILE, WRAPPED_KEY_FILE, KeyVault, MasterKey
from app.session.outbox_folder import OutboxFolder
from tests.support.surroundings import ROOT

_OUTBOX = "outbox.db"


@dataclass(frozen=True)
class Folders:
    """The two folders the vault asks for."""

    data_dir: Path
    outbox_dir: Path


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Return folders without data."""
    return Folders(tmp_path / "data", tmp_path / "outbox")


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every keyring away, as in a session without a bus."""
    from keyring.backends import fail

    none: KeyringBackend = fail.Keyring()  # type: ignore[no-untyped-call]  # keyring's own
    monkeypatch.setattr(keyring.core, "_keyring_backend", none)


@pytest.fixture
def cheap_stretching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretch passphrases less, so that tests are quick; the cost stands in each file."""
    monkeypatch.setattr(wrapped_key, "_COST", 1 << 10)


def _put_data(folders: Folders) -> None:
    folders.data_dir.mkdir(parents=True, exist_ok=True)
    (folders.data_dir / "cache.db").write_bytes(b"noise")


@pytest.mark.usefixtures("private_keyring")
def test_a_key_is_made_once_and_found_again(folders: Folders) -> None:
    vault = KeyVault()
    made = vault.load_or_create(folders)
    _put_data(folders)
    assert KeyVault().load_or_create(folders) == made
    other = Folders(folders.data_dir / "other", folders.data_dir / "other")
    assert vault.load_or_create(other) != made
    for path in folders.data_dir.iterdir():
        if path.is_file():
            assert made.secret not in path.read_bytes()
    vault.forget(folders)
    with pytest.raises(KeyLost):
        vault.load_or_create(folders)
    vault.forget(folders)


@pytest.mark.usefixtures("private_keyring")
def test_data_without_its_key_is_kept_until_the_user_starts_anew(folders: Folders) -> None:
    _put_data(folders)
    folders.outbox_dir.mkdir()
    (folders.outbox_dir / "outbox.db").write_bytes(b"unsent")
    vault = KeyVault()
    with pytest.raises(KeyLost) as told:
        vault.load_or_create(folders)
    assert told.value.user_message_key == "error.key_lost"
    assert (folders.data_dir / "cache.db").read_bytes() == b"noise"
    kept = vault.start_anew(folders)
    assert (kept / "cache.db").read_bytes() == b"noise"
    assert (folders.outbox_dir / kept.name / "outbox.db").read_bytes() == b"unsent"
    key = vault.load_or_create(folders)
    assert vault.load_or_create(folders) == key


@pytest.mark.usefixtures("private_keyring")
def test_an_entry_that_is_no_key_is_a_lost_key(folders: Folders) -> None:
    vault = KeyVault()
    vault.load_or_create(folders)
    instance = (folders.data_dir / INSTANCE_FILE).read_text()
    for garbage in ("", "not base64 !", "c2hvcnQ="):
        os_keyring.write_secret(f"database key {instance}", garbage)
        with pytest.raises(KeyLost):
            vault.load_or_create(folders)


@pytest.mark.usefixtures("private_keyring")
def test_a_locked_keyring_says_so_and_nothing_is_made(tmp_path: Path) -> None:
    bus, module = str(ROOT / ".ci" / "with-session-bus"), "tests.app.session.locked_keyring"
    fresh = tmp_path / "fresh"
    told = subprocess.run(
        [bus, sys.executable, "-m", module, str(tmp_path / "known"), str(fresh)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert told.stdout == b"locked\n", told.stderr.decode()
    assert not fresh.exists()


@pytest.mark.usefixtures("no_keyring")
def test_a_missing_keyring_says_so_and_nothing_is_made(folders: Folders) -> None:
    with pytest.raises(KeyringMissing):
        KeyVault().load_or_create(folders)
    assert not folders.data_dir.exists()


@pytest.mark.usefixtures("no_keyring", "cheap_stretching")
def test_a_passphrase_takes_the_keyrings_place(folders: Folders) -> None:
    vault = KeyVault()
    assert not vault.uses_passphrase(folders)
    made = vault.unlock_with_passphrase(folders, "korrekt – 正しい")
    _put_data(folders)
    assert vault.uses_passphrase(folders)
    assert KeyVault().unlock_with_passphrase(folders, "korrekt – 正しい") == made
    with pytest.raises(PassphraseWrong) as told:
        vault.unlock_with_passphrase(folders, "korrekt")
    assert told.value.user_message_key == "error.passphrase_wrong"
    assert made.secret not in (folders.data_dir / WRAPPED_KEY_FILE).read_bytes()
    with pytest.raises(KeyringLocked):
        vault.load_or_create(folders)


@pytest.mark.usefixtures("no_keyring")
def test_no_passphrase_is_set_over_data_that_has_another_key(folders: Folders) -> None:
    _put_data(folders)
    with pytest.raises(KeyLost):
        KeyVault().unlock_with_passphrase(folders, "any")
    assert not (folders.data_dir / WRAPPED_KEY_FILE).exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff", b'{"version":1,"cost":3,"salt":"a","nonce":"b","sealed":"c"}'],
)
def test_a_damaged_wrapped_key_is_a_lost_key(folders: Folders, content: bytes) -> None:
    folders.data_dir.mkdir()
    (folders.data_dir / WRAPPED_KEY_FILE).write_bytes(content)
    with pytest.raises(KeyLost):
        KeyVault().unlock_with_passphrase(folders, "any")
    assert (folders.data_dir / WRAPPED_KEY_FILE).read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="links take rights there")
@pytest.mark.usefixtures("no_keyring", "cheap_stretching")
def test_nothing_is_written_through_a_link_that_lies_in_a_folder(folders: Folders) -> None:
    victim = folders.data_dir.with_name("victim")
    victim.write_text("mine")
    folders.data_dir.mkdir()
    folders.outbox_dir.mkdir()
    for name in (f"{WRAPPED_KEY_FILE}.new", f"{_OUTBOX}.coming"):
        (folders.outbox_dir / name).symlink_to(victim)
    KeyVault().unlock_with_passphrase(folders, "korrekt")
    (folders.data_dir / _OUTBOX).write_bytes(b"waits")
    outbox = OutboxFolder(folders.outbox_dir, folders.data_dir)
    outbox.acquire()
    outbox.release()
    assert victim.read_text() == "mine"
    for name in (WRAPPED_KEY_FILE, _OUTBOX):
        assert (folders.outbox_dir / name).stat().st_mode & 0o077 == 0
    assert (folders.outbox_dir / _OUTBOX).read_bytes() == b"waits"


def test_sub_keys_differ_and_are_no_secret_in_print() -> None:
    key = MasterKey(b"k" * 32)
    labels = ("cache", "outbox", "backend")
    assert len({key.derive(label) for label in labels} | {key.secret}) == 4
    assert all(len(key.derive(label)) == 32 for label in labels)
    assert key.derive("cache") == MasterKey(b"k" * 32).derive("cache")
    assert "k" * 8 not in repr(key)
