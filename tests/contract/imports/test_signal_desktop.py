"""Signal Desktop's database is read once it is decrypted, and one chat is cut out of it.

It never needs Signal: the database is made here, with the columns Signal has.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from contract.imports.model import ImportedKind, ImportRefused
from contract.imports.signal_desktop import cut_signal, read_signal, signal_chats
from tests.contract.imports.databases import AT_S, SIGNAL_ROWS, SIGNAL_SCHEMA


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """Open the decrypted database."""
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(SIGNAL_SCHEMA)
        for statement, rows in SIGNAL_ROWS:
            made.executemany(statement, rows)
        yield made


def test_client_chat_is_read_whole(database: sqlite3.Connection) -> None:
    chat = next(each for each in signal_chats(database) if each.key == "c1")
    assert (chat.title, chat.participants, chat.is_group) == (
        "Camille Roux",
        ("Camille Roux",),
        False,
    )
    first, answer, gone = chat.messages
    assert (first.text, first.sender, first.at_utc_ms) == ("Bonjour", "Camille Roux", AT_S * 1000)
    assert [(each.sender, each.emoji) for each in first.reactions] == [("", "👍")]
    assert (answer.outgoing, answer.files, answer.quoted_native_id) == (True, ("offer.pdf",), "m1")
    assert gone.kind is ImportedKind.DELETED


def test_cut_holds_one_chat_alone(database: sqlite3.Connection) -> None:
    cut = cut_signal(database, "c1")
    assert cut == cut_signal(database, "c1")
    assert b"private words" not in cut
    assert b"Mum" not in cut
    whole = next(each for each in signal_chats(database) if each.key == "c1")
    assert read_signal(io.BytesIO(cut)) == (whole,)


def test_encrypted_file_is_refused() -> None:
    with pytest.raises(ImportRefused, match="decrypted"):
        read_signal(io.BytesIO(b"\x13" * 8192))


@pytest.mark.parametrize("when", ["soon", b"x", 9e300, -1, 1 << 62, None])
def test_time_that_is_none_costs_no_message(database: sqlite3.Connection, when: object) -> None:
    database.execute("UPDATE messages SET sent_at = ? WHERE id = 'm1'", (when,))
    chat = next(each for each in signal_chats(database) if each.key == "c1")
    assert {each.native_id: each.at_utc_ms for each in chat.messages}["m1"] == 0
