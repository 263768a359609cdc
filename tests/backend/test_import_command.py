"""`parley-backend import` looks first, stores when told, and adds nothing twice.

It never starts a backend: the command does the whole work by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from backend.cli.arguments import parser
from backend.cli.importing import run_import
from backend.imports.signal_key import signal_key
from backend.inbox.events import open_database
from backend.workspace import DATABASE_FILE
from backend.workspace_errors import WorkspaceError
from contract.imports.model import ImportRefused
from tests.contract.imports.databases import SIGNAL_ROWS, SIGNAL_SCHEMA, chat_db
from tests.support.firm_backend import KEY_HEX, FirmBackend

ELENA = "emp-elena"
CHAT = """14/02/2026, 09:01 - Camille: Bonjour
14/02/2026, 09:02 - Elena: Good morning
31/07/2026, 10:05 - Tonton Marc: Salut
"""
PEOPLE = ("--person", "Camille=new:Camille Roux", "--person", "Elena=me")


@pytest.fixture
def firm(tmp_path: Path) -> FirmBackend:
    """Make a firm with one employee."""
    made = FirmBackend(tmp_path, port=9, public_url="https://bank.example")
    made.admin("employee", "add", "--id", ELENA, "--name", "Elena M", "--time-zone", "Europe/Paris")
    return made


def run(firm: FirmBackend, path: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the command in this process; returns its status and the lines it printed."""
    words = ["import", str(path), "--data-dir", str(firm.data_dir), "--key-file"]
    words += [str(firm.key_file), "--employee", ELENA, "--by", "it", *options]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = run_import(parser("import").parse_args(words))
    return status, [json.loads(line) for line in said.getvalue().splitlines()]


def count(firm: FirmBackend, table: str) -> int:
    """Return how many rows a table holds."""
    database = open_database(firm.data_dir / DATABASE_FILE, bytes.fromhex(KEY_HEX))
    try:
        query = f"SELECT count(*) FROM {table}"
        return int(database.read_now(lambda c: c.exec_driver_sql(query).scalar_one()))
    finally:
        database.close_now()


def test_command_asks_previews_imports_and_never_doubles(firm: FirmBackend, tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat with Camille.txt"
    path.write_text(CHAT, "utf-8")
    status, people = run(firm, path)
    assert (status, [line["person"] for line in people]) == (1, ["Camille", "Elena", "Tonton Marc"])
    status, lines = run(firm, path, *PEOPLE)
    assert (status, lines[0]["new"], lines[0]["unidentified"]) == (0, 3, 1)
    assert count(firm, "messages") == count(firm, "imports") == count(firm, "attachments") == 0
    status, lines = run(firm, path, *PEOPLE, "--confirm")
    assert (status, lines[-1]["phase"], lines[-1]["new"]) == (0, "done", 3)
    assert count(firm, "messages") == 3
    status, lines = run(firm, path, *PEOPLE, "--confirm")
    assert (status, lines[-1].get("new", 0), lines[-1]["known"]) == (0, 0, 3)
    assert count(firm, "messages") == 3


def test_private_chat_stores_nothing(firm: FirmBackend, tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat with Camille.txt"
    path.write_text(CHAT, "utf-8")
    with pytest.raises(WorkspaceError, match="private"):
        run(firm, path, "--person", "Elena=me", "--confirm")
    assert count(firm, "attachments") == 0


def test_one_chat_of_messages_is_cut_out_and_imported(firm: FirmBackend, tmp_path: Path) -> None:
    path = chat_db(tmp_path / "chat.db")
    how: tuple[str, ...] = ("--format", "imessage_chat_db")
    status, chats = run(firm, path, *how)
    assert (status, [line["title"] for line in chats]) == (1, ["+336111", "mum"])
    how += ("--chat", str(chats[0]["chat"]), "--person", "+336111=new:Camille Roux")
    status, lines = run(firm, path, *how, "--confirm")
    assert (status, lines[-1]["phase"], lines[-1]["new"]) == (0, "done", 5)
    assert lines[-1]["missing_files"] == 1
    assert lines[-1]["file_sha256"] != hashlib.sha256(path.read_bytes()).hexdigest()
    assert run(firm, path, *how)[1][0]["known"] == 5
    assert count(firm, "reactions") == 1


def test_messages_still_in_the_log_beside_a_database_are_not_lost(
    firm: FirmBackend, tmp_path: Path
) -> None:
    path = chat_db(tmp_path / "chat.db")
    path.with_name("chat.db-wal").write_bytes(b"newer messages")
    with pytest.raises(WorkspaceError, match="Quit Messages"):
        run(firm, path, "--format", "imessage_chat_db")


def test_signal_desktop_is_opened_with_the_key_handed_over(
    firm: FirmBackend, tmp_path: Path
) -> None:
    key, path, config = "ab" * 32, tmp_path / "db.sqlite", tmp_path / "config.json"
    database = sqlcipher.connect(str(path))
    database.execute(f"PRAGMA key = \"x'{key}'\"")
    database.executescript(SIGNAL_SCHEMA)
    for statement, rows in SIGNAL_ROWS:
        database.executemany(statement, rows)
    database.commit()
    database.close()
    config.write_text(json.dumps({"key": key}))
    how = ("--format", "signal_desktop", "--signal-key-file", str(config), "--chat", "c1")
    status, lines = run(firm, path, *how, "--person", "Camille Roux=new", "--confirm")
    assert (status, lines[-1]["phase"], lines[-1]["new"]) == (0, "done", 3)
    config.write_text(json.dumps({"key": "cd" * 32}))
    with pytest.raises(WorkspaceError, match="does not open"):
        run(firm, path, *how)


@pytest.mark.parametrize(
    ("prefix", "told", "password", "rounds"),
    [
        (b"v10", "", b"peanuts", 1),
        (b"v11", "linux:s3cret", b"s3cret", 1),
        (b"v10", "macos:s3cret", b"s3cret", 1003),
    ],
)
def test_signal_key_sealed_by_a_keyring_opens_with_its_password(
    prefix: bytes, told: str, password: bytes, rounds: int
) -> None:
    key = "0123456789abcdef" * 4
    derived = hashlib.pbkdf2_hmac("sha1", password, b"saltysalt", rounds, 16)
    encryptor = Cipher(algorithms.AES(derived), modes.CBC(b" " * 16)).encryptor()
    sealed = prefix + encryptor.update(key.encode() + b"\x10" * 16) + encryptor.finalize()
    config = json.dumps({"encryptedKey": sealed.hex()}).encode()
    assert signal_key(config, told) == key
    with pytest.raises(ImportRefused):
        signal_key(config, "macos:wrong")
    with pytest.raises(ImportRefused, match="keyring"):
        signal_key(json.dumps({"encryptedKey": b"\x01\x00DPAPI".hex()}).encode())


def test_decrypted_copy_of_signal_needs_no_key(firm: FirmBackend, tmp_path: Path) -> None:
    path = tmp_path / "plain.sqlite"
    database = sqlite3.connect(path)
    database.executescript(SIGNAL_SCHEMA)
    for statement, rows in SIGNAL_ROWS:
        database.executemany(statement, rows)
    database.commit()
    database.close()
    how = ("--format", "signal_desktop", "--chat", "c1", "--person", "Camille Roux=new")
    assert run(firm, path, *how)[1][0]["new"] == 3
