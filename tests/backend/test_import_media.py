"""Files of imported chats: those of an MMS's backup and of a zipped export of Telegram come in.

It never fakes a part: the import runs from the upload to the blob.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from datetime import UTC

import pytest

from backend.imports.contents import ExportFiles
from contract.imports.model import ImportedChat, ImportRefused, Source
from contract.imports.opening import read_chats
from contract.imports.telegram_zip import holds_telegram
from tests.backend.test_imports import Importer, compliance, importer  # noqa: F401 -- fixtures

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 3000
NOTE = b"BEGIN:VCARD\r\nEND:VCARD\r\n"
_TEXT = '<part ct="text/plain" cl="t.txt" text="Look &amp; see"/>'


def part(content: bytes, name: str, media_type: str = "image/jpeg") -> str:
    """Return a part as the program writes it."""
    data = base64.b64encode(content).decode()
    return f'<part ct="{media_type}" name="null" cl="{name}" text="null" data="{data}"/>'


def backup(*parts: str) -> bytes:
    """Return a backup of one MMS and one SMS of the same number."""
    mms = (
        f'<mms address="+41790000001" date="1784624462000" msg_box="1" m_id="x1" sub="null">'
        f'<parts><part ct="application/smil" text="s"/>{"".join(parts)}</parts>'
        '<addrs><addr address="+41790000001" type="137"/></addrs></mms>'
    )
    sms = '<sms address="+41790000001" date="1784624463000" type="2" body="Merci"/>'
    head = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<!-- ü -->\n"
    return f'{head}<smses count="2">{mms}{sms}</smses>'.encode()


def opened(content: bytes, source: Source) -> tuple[ImportedChat, ExportFiles]:
    """Return a file's only chat with the files beside it."""
    file = io.BytesIO(content)
    (chat,) = read_chats(file, source, "x", UTC)
    return chat, ExportFiles(file, chat)


def test_parts_of_an_mms_are_read_by_their_place() -> None:
    content = backup(_TEXT, part(PHOTO, "house ü.jpg"), part(NOTE, "me.vcf", "text/x-vCard"))
    chat, files = opened(content, Source.SMS_BACKUP)
    named = chat.messages[0].files
    assert len(files) == 2
    assert [files.read(name) for name in named] == [PHOTO, NOTE]
    assert files.read("0000000000000000-other.jpg") is None


def test_parts_without_content_are_not_taken_for_files() -> None:
    empty = '<part ct="image/png" cl="gone.png" data="null"/><part ct="image/png" cl="b.png"/>'
    broken = '<part ct="image/png" cl="c.png" data="=a"/>'
    chat, files = opened(backup(empty, broken), Source.SMS_BACKUP)
    assert [files.read(name) for name in chat.messages[0].files] == [None, None, None]
    assert len(files) == 1, "the broken one is there, though nobody can read it"


async def test_pictures_of_an_mms_come_in_with_the_message(importer: Importer) -> None:  # noqa: F811 -- the fixture
    people = [{"name": "+41790000001", "standing": "new_contact", "display_name": "Camille Roux"}]
    status = await importer.imported(
        backup(_TEXT, part(PHOTO, "house.jpg")),
        name="sms-2026.xml",
        source=Source.SMS_BACKUP,
        people=people,
    )
    assert (status.new, status.files) == (2, 1)
    found = "SELECT count(*) FROM attachments WHERE name LIKE '%-house.jpg' AND size_bytes = "
    assert await importer.workspace.scalar(f"{found}{len(PHOTO)}") == 1
    said = "SELECT text FROM messages WHERE external_id <> '' AND text LIKE 'Look%'"
    assert await importer.workspace.scalar(said) == "Look & see", "no name in place of the file"


def telegram(**files: bytes) -> bytes:
    """Return the zipped folder of an export of one chat with two photos of one name."""
    told = [
        {"id": n, "type": "message", "date_unixtime": str(1_784_624_460 + n), "from": "Camille",
         "from_id": "user1", "photo": f"{folder}/a.jpg", "text": f"photo {n}"}
        for n, folder in enumerate(("photos", "files"), start=1)
    ]  # fmt: skip
    chat = {"name": "Camille", "type": "personal_chat", "id": 7, "messages": told}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("ChatExport/photos/a.jpg", PHOTO)
        archive.writestr("ChatExport/files/a.jpg", NOTE)
        archive.writestr("ChatExport/result.json", json.dumps(chat))
        archive.writestr("photos/a.jpg", b"beside the export")
        archive.writestr("ChatExport/../../etc/passwd", b"not ours")
    return made.getvalue()


def test_a_zipped_export_of_telegram_is_known_and_gives_its_own_files() -> None:
    content = telegram(**{"__MACOSX/ChatExport/result.json": b"{}"})
    assert holds_telegram(io.BytesIO(content))
    chat, files = opened(content, Source.TELEGRAM_JSON)
    assert len(files) == 2
    assert [files.read(each.files[0]) for each in chat.messages] == [PHOTO, NOTE]
    assert files.read("../../etc/passwd") is None, "no message names it"


def test_a_zip_of_several_exports_and_a_bomb_are_refused() -> None:
    with pytest.raises(ImportRefused, match="several"):
        opened(telegram(**{"Other/result.json": b"{}"}), Source.TELEGRAM_JSON)
    with pytest.raises(ImportRefused):
        opened(telegram()[:-40], Source.TELEGRAM_JSON)
    assert not holds_telegram(io.BytesIO(b"PK\x03\x04" + bytes(100)))


async def test_photos_of_telegram_come_in_once_whether_zipped_or_not(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    people = [{"name": "Camille", "standing": "new_contact", "display_name": "Camille Roux"}]
    known = {"source": Source.TELEGRAM_JSON, "people": people}
    status = await importer.imported(telegram(), name="ChatExport.zip", **known)
    assert (status.new, status.files) == (2, 2)
    with zipfile.ZipFile(io.BytesIO(telegram())) as archive:
        alone = archive.read("ChatExport/result.json")
    again = await importer.staged(alone, name="result.json", **known)
    assert (again.new, again.known) == (0, 2)
