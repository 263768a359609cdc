"""What a later export of a chat tells of known messages: edited ones, and those taken back.

It never fakes a part: each export goes from the upload into the archive.
"""

from __future__ import annotations

import json
from typing import Any

from backend.imports.wording import NO_WORDS, text_of
from contract.imports.model import ImportedKind, ImportedMessage, Source
from tests.backend.test_imports import Importer, compliance, importer  # noqa: F401 -- fixtures

PEOPLE = [{"name": "Camille", "standing": "new_contact", "display_name": "Camille Roux"}]


def chat(text: str, **more: Any) -> bytes:
    """Return an export of two messages, of which the first says `text`."""
    base = {"type": "message", "from": "Camille", "from_id": "user1"}
    first = base | {"id": 1, "date_unixtime": "1784624461", "text": text} | more
    liked = [{"emoji": "👍", "recent": [{"from": "Camille", "from_id": "user1"}]}]
    second = {"id": 2, "date_unixtime": "1784624462", "edited_unixtime": "1784624463"}
    second |= base | {"text": "only liked", "reactions": liked}
    told = {"name": "Camille", "type": "personal_chat", "id": 7, "messages": [first, second]}
    return json.dumps(told).encode()


async def come(importer: Importer, content: bytes) -> tuple[int, int, int]:  # noqa: F811 -- the fixture
    """Import an export; returns what was new, known, and changed of it."""
    status = await importer.imported(
        content, name="result.json", source=Source.TELEGRAM_JSON, people=PEOPLE
    )
    return status.new, status.known, status.changed


async def test_words_changed_after_the_first_import_are_a_version_of_their_own(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    scalar = importer.workspace.scalar
    assert await come(importer, chat("buy 100")) == (2, 0, 0)
    entries = "SELECT count(*) FROM archive_entries WHERE kind = 'edited'"
    edited = chat("buy 1000", edited_unixtime="1784629999")
    for changed in (1, 0):
        assert await come(importer, edited) == (0, 2, changed)
        assert await scalar(entries) == 1, "one for the change, none for the like or a repetition"
    assert await scalar("SELECT count(*) FROM messages WHERE text = 'buy 1000'") == 1
    assert await scalar("SELECT count(*) FROM messages WHERE text = 'buy 100'") == 0
    kept = "SELECT count(*) FROM archive_bodies WHERE CAST(body AS TEXT) LIKE '%buy 100\"%'"
    assert await scalar(kept) == 1, "the first words stay in the archive"


async def test_an_older_export_brings_no_older_words_back(
    importer: Importer,  # noqa: F811 -- the fixture
) -> None:
    older = chat("buy 200", edited_unixtime="1784625000")
    assert await come(importer, chat("buy 100")) == (2, 0, 0)
    assert await come(importer, older) == (0, 2, 1)
    assert await come(importer, chat("buy 300", edited_unixtime="1784626000")) == (0, 2, 1)
    assert await come(importer, older) == (0, 2, 0)
    assert await importer.workspace.scalar("SELECT text FROM messages WHERE text LIKE 'buy%'") == (
        "buy 300"
    )


def test_a_message_without_words_is_no_empty_bubble() -> None:
    empty = ImportedMessage(at_utc_ms=0, sender="Camille", text="")
    assert text_of(empty, ()) == NO_WORDS
    assert text_of(empty, ("a.jpg",)) == ""
    deleted = ImportedMessage(at_utc_ms=0, sender="Camille", text="", kind=ImportedKind.DELETED)
    assert text_of(deleted, ()) == "This message was deleted in the chat."
