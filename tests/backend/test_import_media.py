"""Files of imported chats: MMS parts out of a backup's XML come in with their messages.

It never fakes a part: the import runs from the upload to the blob.
"""

from __future__ import annotations

import base64
import io
from datetime import UTC

from backend.imports.contents import ExportFiles
from contract.imports.model import ImportedChat, Source
from contract.imports.opening import read_chats
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


async def test_pictures_of_an_mms_come_in_with_the_message(importer: Importer) -> None:  # noqa: F811
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
