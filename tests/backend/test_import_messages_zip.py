"""A zipped chat.db brings its attachments in, of the chosen chat alone; chat.db alone their names.

It never needs a Mac, and never fakes a part: the import runs from the file to the archive.
"""

from __future__ import annotations

import io
import sqlite3
import zipfile
from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.domain.imports import ReadAs
from app.import_desk import _original
from app.imports.reading import Watch, read_export
from backend.archive.blob_audit import audit_files
from backend.archive.projection_audit import audit_messages
from backend.cli.export_opening import open_export
from contract.import_wire import ImportPerson, Standing
from contract.imports.imessage import read_imessage
from contract.imports.messages_cut import cut_messages_zip
from contract.imports.messages_zip import holds_messages
from contract.imports.model import ImportRefused, Source
from contract.imports.opening import zone_named
from tests.backend.test_imports import Importer, compliance, importer  # noqa: F401 -- fixtures
from tests.contract.imports.databases import chat_db

ON_MAC = "~/Library/Messages/Attachments"
CLIENT = "iMessage;-;+336111"
PEOPLE = (ImportPerson(name="+336111", standing=Standing.NEW_CONTACT, display_name="Camille Roux"),)
SCAN, OTHER = b"%PDF-1.7 client", b"%PDF-1.7 private"


def database(folder: Path) -> bytes:
    """Return a chat.db whose client and whose other chat each have a file of one name."""
    path = chat_db(folder / "chat.db")
    with closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE attachment SET filename = ?", (f"{ON_MAC}/aa/01/G1/scan.pdf",))
        base.execute("INSERT INTO attachment VALUES (2, ?, ?)", (f"{ON_MAC}/bb/02/G2/scan.pdf", ""))
        base.execute("INSERT INTO message_attachment_join VALUES (9, 2)")
        base.commit()
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


def zipped(content: bytes, *, log: tuple[str, bytes] = ("chat.db-shm", b"")) -> bytes:
    """Return the folder Messages as the Mac zips it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Messages/chat.db", content)
        archive.writestr("__MACOSX/Messages/chat.db", b"no database")
        archive.writestr("Messages/Attachments/aa/01/G1/scan.pdf", SCAN)
        archive.writestr("Messages/Attachments/bb/02/G2/scan.pdf", OTHER)
        archive.writestr("Messages/Attachments/../../etc/passwd", b"not ours")
        archive.writestr(f"Messages/{log[0]}", log[1])
    return made.getvalue()


def cut(content: bytes) -> bytes:
    """Return the archive that leaves the computer for the client's chat."""
    made = io.BytesIO()
    cut_messages_zip(io.BytesIO(content), CLIENT, made)
    return made.getvalue()


def test_only_the_chosen_chat_and_its_own_files_leave(tmp_path: Path) -> None:
    whole = zipped(database(tmp_path))
    assert holds_messages(io.BytesIO(whole))
    chat, private = read_imessage(io.BytesIO(whole))
    alone = cut(whole)
    assert cut(whole) == alone
    with zipfile.ZipFile(io.BytesIO(alone)) as archive:
        assert archive.namelist() == ["chat.db", "Attachments/aa/01/G1/scan.pdf"]
        assert b"private words" not in archive.read("chat.db")
    (again,) = read_imessage(io.BytesIO(alone))
    assert again.messages == chat.messages
    assert again.messages[2].files[0] != private.messages[0].files[0], "equal names are told apart"


async def test_the_app_cuts_an_archive_even_of_one_chat(tmp_path: Path) -> None:
    path = tmp_path / "Messages.zip"
    path.write_bytes(cut(zipped(database(tmp_path))))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("Attachments/bb/02/G2/scan.pdf", OTHER)
    export = read_export(path, ReadAs("UTC"), Watch(lambda _: None))
    assert (export.source, len(export.chats), export.has_zone) == (Source.IMESSAGE, 1, True)
    async with _original(export, CLIENT) as original:
        with zipfile.ZipFile(original.path) as left:
            assert not [name for name in left.namelist() if "/bb/" in name]
    with pytest.raises(Refused, match="folder Attachments"):
        read_export(tmp_path, ReadAs("UTC"), Watch(lambda _: None))


async def test_attachments_come_in_and_later_to_what_came_without_them(
    importer: Importer,  # noqa: F811 -- the fixture
    tmp_path: Path,
) -> None:
    content = database(tmp_path)
    told = {"source": Source.IMESSAGE, "people": PEOPLE, "chat_key": CLIENT}
    first = await importer.imported(content, name="chat.db", **told)
    assert (first.new, first.files) == (5, 0)
    assert "only their names come in" in "".join(first.notes)
    named = "SELECT count(*) FROM messages WHERE text LIKE '%scan.pdf%'"
    assert await importer.workspace.scalar(named) == 1
    second = await importer.imported(cut(zipped(content)), name="Messages.zip", **told)
    assert (second.new, second.known, second.files) == (0, 5, 1)
    assert await importer.workspace.scalar(named) == 0, "the file stands in place of its name"
    size = "SELECT size_bytes FROM attachments WHERE name LIKE '%-scan.pdf'"
    assert await importer.workspace.scalar(size) == len(SCAN)
    services = importer.workspace.services
    assert await services.database.read(audit_messages) >= 5
    assert await services.database.read(lambda c: audit_files(c, services.blobs)) == 1


def test_newer_messages_that_lie_beside_are_told(tmp_path: Path) -> None:
    content = database(tmp_path)
    log = "chat.db-wal"
    assert read_imessage(io.BytesIO(zipped(content, log=(log, b""))))[0].notes == ()
    assert log in read_imessage(io.BytesIO(zipped(content, log=(log, b"newer"))))[0].notes[0]


def test_the_command_keeps_the_chosen_chat_of_an_archive_alone(tmp_path: Path) -> None:
    path = tmp_path / "Messages.zip"
    path.write_bytes(zipped(database(tmp_path)))
    export = open_export(Namespace(file=path, format=None), zone_named("UTC"), None)
    try:
        kept = export.of(export.chats[0])
        kept.seek(0)
        assert kept.read() == cut(path.read_bytes())
    finally:
        export.close()


def test_a_damaged_archive_and_one_of_several_macs_are_refused(tmp_path: Path) -> None:
    whole = zipped(database(tmp_path))
    made = io.BytesIO(whole)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("Other/chat.db", b"x")
    with pytest.raises(ImportRefused, match="several"):
        read_imessage(made)
    for damaged in (whole[:-40], whole[:200] + bytes(200) + whole[400:]):
        with pytest.raises(ImportRefused):
            read_imessage(io.BytesIO(damaged))
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("chat.db", b"no database")
    with pytest.raises(ImportRefused, match="not the database"):
        read_imessage(empty)
