"""The chat.db of Messages is read with its tapbacks, edits and retractions, one chat at a time.

It never needs a Mac: the database is made here, with the columns macOS has.
"""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest

from contract.imports.imessage import cut_imessage, read_imessage
from contract.imports.model import ImportedChat, ImportedKind, ImportRefused
from contract.imports.typed_text import text_of_typedstream
from tests.contract.imports.databases import AT_S, chat_db, typedstream


def chats(path: Path) -> tuple[ImportedChat, ...]:
    """Return what a database holds."""
    with path.open("rb") as file:
        return read_imessage(file)


def test_client_chat_is_read_whole(tmp_path: Path) -> None:
    chat, private = chats(chat_db(tmp_path / "chat.db"))
    assert (chat.key, chat.title, chat.participants) == (
        "iMessage;-;+336111",
        "+336111",
        ("+336111",),
    )
    assert private.title == "mum"
    first, answer, file, edited, gone = chat.messages
    assert (first.text, first.sender, first.at_utc_ms) == ("Bonjour", "+336111", (AT_S + 1) * 1000)
    assert first.reactions == ()  # set, and taken back
    assert (answer.text, answer.outgoing) == ("Réponse 🙂 " + "x" * 300, True)
    assert [(each.sender, each.emoji) for each in answer.reactions] == [("+336111", "👍")]
    assert (file.text, file.files, file.quoted_native_id) == ("", ("scan.pdf",), "G2")
    assert edited.edited
    assert gone.kind is ImportedKind.DELETED


def test_cut_database_holds_one_chat_alone_and_is_equal_each_time(tmp_path: Path) -> None:
    path = chat_db(tmp_path / "chat.db")
    whole = chats(path)[0]
    cuts = []
    for _ in range(2):
        connection = sqlite3.connect(path)
        cuts.append(cut_imessage(connection, whole.key))
        connection.close()
    assert cuts[0] == cuts[1]
    assert b"private words" not in cuts[0]
    assert b"mum" not in cuts[0]
    assert read_imessage(io.BytesIO(cuts[0])) == (whole,)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 40_000])
def test_typedstream_gives_its_text(size: int) -> None:
    assert text_of_typedstream(typedstream("é" * size)) == "é" * size


def test_cut_off_or_strange_typedstream_gives_none() -> None:
    whole = typedstream("words that go on")
    for end in range(len(whole) - 60):
        assert text_of_typedstream(whole[:end]) in (None, "")
    assert text_of_typedstream(b"bplist00") is None


def test_stranger_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIEW message AS SELECT 1 AS guid, 2 AS date")
    connection.commit()
    connection.close()
    with pytest.raises(ImportRefused, match="Messages"):
        chats(path)
    with pytest.raises(ImportRefused, match="Messages"):
        read_imessage(io.BytesIO(b"SQLite format 3\x00" + b"\xff" * 5_000))
    with pytest.raises(ImportRefused, match="Messages"):
        read_imessage(io.BytesIO(b"no database"))
