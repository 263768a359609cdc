"""A chat exported once with its media and once without comes in once, whichever came first.

It never fakes a part: each export goes from the upload into the archive.
"""

from __future__ import annotations

import io
import zipfile
from typing import NamedTuple

import msgspec
import pytest
from sqlalchemy import Connection, select, update

from backend.archive.blob_audit import audit_files
from backend.archive.projection_audit import audit_messages
from backend.inbox.erasing import erase_messages
from backend.storage.tables import contact_points, messages
from contract.import_wire import ImportPerson, ImportStatus, Standing
from contract.imports.identity import message_identities, named_identity
from contract.imports.model import Source
from contract.imports.opening import read_chats, zone_named
from contract.wire import ConversationPage, MessagePage, Mode
from tests.backend.test_imports import Importer, compliance, importer  # noqa: F401 -- fixtures

PEOPLE = (
    ImportPerson(name="Camille", standing=Standing.NEW_CONTACT, display_name="Camille Roux"),
    ImportPerson(name="Elena", standing=Standing.ME),
)
AT = "21/07/2026, 09:01 - "


class Export(NamedTuple):
    """One export's text and the files beside it."""

    text: str
    files: tuple[str, ...] = ()

    def packed(self) -> bytes:
        """Return the archive that a phone makes of it."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr(zipfile.ZipInfo("WhatsApp Chat with Camille.txt"), self.text)
            for name in self.files:
                archive.writestr(zipfile.ZipInfo(name), f"bytes of {name}")
        return made.getvalue()


async def come(importer: Importer, export: Export) -> ImportStatus:  # noqa: F811 -- the fixture
    """Import an export."""
    return await importer.imported(export.packed(), name="chat.zip", people=PEOPLE)


def photo(number: int) -> str:
    """Return the name that Android gives a photo."""
    return f"IMG-20260721-WA{number:04d}.jpg"


def android(*lines: str, at: str = AT) -> str:
    """Return a chat of lines that Camille wrote in one minute, and an answer after it."""
    said = "".join(f"{at}Camille: {line}\n" for line in lines)
    return f"20/07/2026, 18:00 - Elena: Show me\n{said}22/07/2026, 08:00 - Elena: Merci\n"


SHOWN = [f"{photo(1)} (file attached)", "the house", f"{photo(2)} (file attached)\nthe garden",
         f"{photo(3)} (file attached)"]  # fmt: skip
HIDDEN = ["<Media omitted>", "the house", "<Media omitted>\nthe garden", "<Media omitted>"]
WITH = Export(android(*SHOWN), (photo(1), photo(2), photo(3)))
WITHOUT = Export(android(*HIDDEN))
IPHONE = "[21/07/2026, 09:01:02] Camille: "
IPHONE_HEAD = "[20/07/2026, 18:00:00] Elena: Show me\n"
IPHONE_WITH = Export(
    f"{IPHONE_HEAD}\u200e{IPHONE}\u200e<attached: 00000002-PHOTO-2026-07-21-09-01-02.jpg>\n"
    f"{IPHONE}the house \u200e<attached: 00000003-PHOTO-2026-07-21-09-01-02.jpg>\n"
    f"{IPHONE}Fees.pdf • \u200e3 pages \u200e<attached: 00000004-Fees.pdf>\n",
    tuple(
        f"0000000{n}-{name}"
        for n, name in ((2, "PHOTO-2026-07-21-09-01-02.jpg"),
                        (3, "PHOTO-2026-07-21-09-01-02.jpg"), (4, "Fees.pdf"))
    ),
)  # fmt: skip
IPHONE_WITHOUT = Export(
    f"{IPHONE_HEAD}\u200e{IPHONE}\u200eimage omitted\n"
    f"{IPHONE}the house \u200eimage omitted\n"
    f"{IPHONE}Fees.pdf • \u200e3 pages \u200edocument omitted\n"
)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (WITH, WITHOUT),
        (WITHOUT, WITH),
        (IPHONE_WITH, IPHONE_WITHOUT),
        (IPHONE_WITHOUT, IPHONE_WITH),
    ],
    ids=["android with", "android without", "iphone with", "iphone without"],
)
async def test_media_come_in_once_whether_exported_or_not(
    importer: Importer,  # noqa: F811 -- the fixture
    first: Export,
    second: Export,
) -> None:
    made = await come(importer, first)
    for export in (second, first, second):
        status = await come(importer, export)
        assert (status.new, status.known) == (0, made.new), status
    assert await importer.workspace.scalar("SELECT count(*) FROM messages") == made.new


async def test_a_file_that_was_left_out_comes_to_its_message_with_the_next_export(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    await come(importer, WITHOUT)
    ready = await importer.staged(WITH.packed(), name="chat.zip", people=PEOPLE)
    assert (ready.new, ready.changed) == (0, 3)
    assert (await come(importer, WITH)).files == 3
    again = await importer.staged(WITH.packed(), name="chat.zip", people=PEOPLE)
    assert (again.new, again.changed) == (0, 0)
    chats = msgspec.json.decode(
        (await importer.client.get("/v1/conversations")).content, type=ConversationPage
    )
    (chat,) = [each for each in chats.conversations if each.mode is Mode.NATIVE]
    path = f"/v1/conversations/{chat.conversation_id}/messages"
    said = msgspec.json.decode((await importer.client.get(path)).content, type=MessagePage).messages
    told = sorted((file.name, message.text) for message in said for file in message.attachments)
    assert told == [(photo(1), ""), (photo(2), "the garden"), (photo(3), "")]
    assert not [each for each in said if each.edited_at_utc_ms], "nobody edited it"
    services = importer.workspace.services
    assert await services.database.read(audit_messages) >= 6
    assert await services.database.read(lambda c: audit_files(c, services.blobs)) == 3
    kinds = "SELECT count(*) FROM archive_entries WHERE kind = 'file_added'"
    assert await importer.workspace.scalar(kinds) == 3


async def test_a_file_comes_neither_to_an_erased_message_nor_twice(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    await come(importer, WITHOUT)
    ids = "SELECT message_id FROM messages WHERE text LIKE 'the garden%'"
    garden = await importer.workspace.scalar(ids)
    await importer.workspace.services.database.write(
        lambda c: erase_messages(c, [str(garden)], 1_800_000_000_000)
    )
    assert (await come(importer, WITH)).files == 2
    attached = f"SELECT count(*) FROM attachments WHERE message_id = '{garden}'"
    assert await importer.workspace.scalar(attached) == 0


async def test_a_caption_that_one_export_leaves_out_is_no_other_message(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    await come(importer, WITH)
    bare = Export(android("<Media omitted>", "the house", "<Media omitted>", "<Media omitted>"))
    assert (await come(importer, bare)).new == 0


async def test_a_photo_that_was_not_downloaded_is_met_by_its_place(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    mixed = android(SHOWN[0], "<Media omitted>", SHOWN[3])
    assert (await come(importer, Export(mixed, (photo(1), photo(3))))).new == 5
    whole = android(SHOWN[0], SHOWN[2], SHOWN[3])
    assert (await come(importer, Export(whole, WITH.files))).new == 0
    hidden = Export(android(*["<Media omitted>"] * 3))
    assert (await come(importer, hidden)).new == 0


async def test_one_more_photo_of_the_same_minute_comes_in_alone(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    await come(importer, Export(android(SHOWN[0], SHOWN[3]), (photo(1), photo(3))))
    assert (await come(importer, WITH)).new == 2, "the words and the photo between them"
    hidden = Export(android(*HIDDEN, "<Media omitted>"))
    assert (await come(importer, hidden)).new == 1


async def test_an_export_cut_off_within_a_minute_is_known_by_its_files(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    cut = f"{AT}Camille: {SHOWN[3]}\n22/07/2026, 08:00 - Elena: Merci\n"
    assert (await come(importer, Export(cut, (photo(3),)))).new == 2
    status = await come(importer, WITH)
    assert (status.new, status.known, status.files) == (4, 2, 2)
    names = "SELECT count(DISTINCT name) FROM attachments WHERE message_id IS NOT NULL"
    assert await importer.workspace.scalar(names) == 3


async def test_media_that_an_earlier_version_brought_in_are_known(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    await come(importer, WITH)
    read = read_chats(io.BytesIO(WITH.packed()), Source.WHATSAPP_TEXT, "x", zone_named("UTC"))

    def as_before(connection: Connection) -> None:
        """Give the media the identities they had while these held the files' names."""
        address = select(contact_points.c.address).where(contact_points.c.id_type == "import")
        chat = msgspec.structs.replace(read[0], key=connection.execute(address).scalar_one())
        for identity, message in zip(message_identities(chat), chat.messages, strict=True):
            if message.files:
                this = messages.c.external_id == identity
                old = named_identity(chat, message, 0)
                assert connection.execute(
                    update(messages).where(this).values(external_id=old)
                ).rowcount

    await importer.workspace.services.database.write(as_before)
    assert (await come(importer, WITH)).new == 0
