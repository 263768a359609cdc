"""A keyring that is there, locked, missing or without our key; and a passphrase in its place.

It never touches a keyring but that of a session bus of its own.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.support.child import Child
from tests.support.client_driver import PASSPHRASE, Orders
from tests.support.keyring_session import run_session
from ui.models.sentences import sentence

NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def start_without_keyring(root: Path, passphrase: str | None) -> tuple[str, str]:
    """Start Parley where there is no keyring; return the code and sentence of what kept it."""
    orders = Orders(root=str(root), passphrase=passphrase, connect=False)
    app = Child("tests.support.client_driver", msgspec.to_builtins(orders), env=NO_KEYRING)
    status = app.wait(120.0)
    if status == 0:
        assert app.told("opened"), app.errors
        return "", ""
    assert status == 3, f"it says what is wrong and ends in order: {app.errors}"
    refusal = app.told("refused")[-1]
    return refusal["code"], sentence(refusal["key"], refusal["detail"])


def data_files(root: Path) -> dict[str, bytes]:
    """Return the databases of a client."""
    return {path.name: path.read_bytes() for path in sorted(root.rglob("*.db"))}


@pytest.mark.slow
def test_without_a_keyring_a_passphrase_protects_the_data(tmp_path: Path) -> None:
    code, words = start_without_keyring(tmp_path, None)
    assert code == "keyring_missing"
    assert words.startswith("This session has no keyring. Choose a passphrase")
    assert start_without_keyring(tmp_path, PASSPHRASE) == ("", "")
    before = data_files(tmp_path)
    assert len(before) == 2
    assert start_without_keyring(tmp_path, "another passphrase") == (
        "passphrase_wrong",
        "That passphrase does not open Parley's data. Please try again.",
    )
    code, _ = start_without_keyring(tmp_path, None)
    assert code == "keyring_locked", "the passphrase is asked for; no new key is made"
    assert data_files(tmp_path) == before
    assert start_without_keyring(tmp_path, PASSPHRASE) == ("", "")


@pytest.mark.slow
@pytest.mark.usefixtures("private_keyring")
def test_a_locked_keyring_is_named_and_unlocking_it_is_enough(tmp_path: Path) -> None:
    steps = ("open", "lock", "open", "unlock", "open")
    first, locked, unlocked = run_session(str(tmp_path), *steps)
    assert first["code"] == ""
    assert (locked["code"], sentence(locked["key"])) == (
        "keyring_locked",
        "The keyring of this computer is locked. Unlock it, then start Parley again.",
    )
    assert unlocked["code"] == ""


@pytest.mark.slow
@pytest.mark.usefixtures("private_keyring")
def test_a_lost_key_keeps_the_data_and_no_new_key_is_made(tmp_path: Path) -> None:
    (first,) = run_session(str(tmp_path), "open")
    before = data_files(tmp_path)
    (lost,) = run_session(str(tmp_path), "open")  # another session: its keyring is empty
    assert first["code"] == ""
    assert lost["code"] == "key_lost"
    assert "no longer in the keyring of this computer. The data is kept." in sentence(lost["key"])
    assert len(before) == 2
    assert data_files(tmp_path) == before
