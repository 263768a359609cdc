"""Proofs of the sample workspace: it is whole, archived like real traffic, and written once.

It never looks at how it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, func, select

from backend.archive.verify import verify_archive
from backend.directory.sample import absolute_utc_ms, sample_folder
from backend.directory.seed import Sample, is_empty, load_sample, seed
from backend.inbox.events import open_database
from backend.inbox.rendering import conversation_query, message_query, render_conversations
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.tables import archive_entries, contacts, messages
from contract.wire import Channel, Conversation, Mode

KEY = bytes(range(32))
NOW_UTC_MS = time.time_ns() // 1_000_000
HOUR_MS = 3_600_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = open_database(tmp_path / "backend.db", KEY)
    yield opened
    opened.close_now()


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """The sample, its files kept as blobs."""
    return load_sample(sample_folder(), BlobStore(tmp_path / "blobs", KEY).put, NOW_UTC_MS)


def _inbox(connection: Connection) -> list[Conversation]:
    rows = connection.execute(conversation_query("emp-em")).all()
    shown = render_conversations(connection, "emp-em", rows)
    return sorted(shown, key=lambda item: -item.last_activity_utc_ms)


def test_inbox_is_the_one_of_the_pictures(database: Database, sample: Sample) -> None:
    assert database.write_now(lambda c: seed(c, sample))
    inbox = database.read_now(_inbox)
    assert [item.title for item in inbox[:5]] == [
        "Hana Watanabe",
        "Marcus Feld",
        "Li Wei 李伟",
        "Ardent Capital · deal team",
        "Sofia Marin",
    ]
    assert [item.unread_count for item in inbox[:4]] == [2, 1, 3, 0]
    assert {item.channel for item in inbox} == set(Channel)
    by_title = {(item.title, item.channel): item for item in inbox}
    assert by_title["Priya Nair", Channel.IMESSAGE].mode is Mode.NATIVE
    assert by_title["Kenji Mori 森健二", Channel.LINE].walled
    assert [item.title for item in inbox if item.walled] == ["Kenji Mori 森健二"]
    johan = by_title["Johan Berg", Channel.SMS]
    assert johan.preview is not None
    assert johan.preview.text == "STOP"
    assert johan.tags[0] == "opted_out"
    assert by_title["Tomás Silva", Channel.TELEGRAM].tags[0] == "pending"


def test_reply_windows_are_open_closing_and_closed(database: Database, sample: Sample) -> None:
    database.write_now(lambda c: seed(c, sample))
    left_h = {
        (item.title, item.channel): (item.window_closes_at_utc_ms - NOW_UTC_MS) // HOUR_MS
        for item in database.read_now(_inbox)
        if item.window_closes_at_utc_ms is not None
    }
    assert left_h["Hana Watanabe", Channel.WHATSAPP] == 23
    assert left_h["Li Wei 李伟", Channel.WECHAT] == 2
    assert left_h["Oliver Grant", Channel.WHATSAPP] < 0


def test_every_message_is_archived_and_the_archive_is_sound(
    database: Database, sample: Sample
) -> None:
    database.write_now(lambda c: seed(c, sample))
    audit = database.read_now(verify_archive)
    assert audit.ok, audit.fault

    def counts(connection: Connection) -> tuple[Any, ...]:
        entries = select(func.count()).where(
            archive_entries.c.kind.in_(("message_in", "message_out", "message_system", "import"))
        )
        return (
            connection.execute(select(func.count()).select_from(messages)).scalar_one(),
            connection.execute(entries).scalar_one(),
            connection.execute(select(func.count()).select_from(contacts)).scalar_one(),
        )

    written, archived, clients = database.read_now(counts)
    assert written == archived >= 120
    assert clients == 12
    for item in database.read_now(_inbox):
        assert item.message_count == item.archived_count > 0


def test_histories_speak_four_languages_with_files_quotes_and_reactions(
    database: Database, sample: Sample
) -> None:
    database.write_now(lambda c: seed(c, sample))

    def look(connection: Connection) -> tuple[str, int, int]:
        rows = connection.execute(message_query("emp-em")).all()
        return (
            "\n".join(row.text for row in rows),
            sum(row.quoted_text is not None for row in rows),
            sum(row.versions_archived > 1 for row in rows),
        )

    text, quotes, edited = database.read_now(look)
    for words in ("約定", "好的", "Guten Morgen", "Good morning"):
        assert words in text
    assert quotes >= 8
    assert edited == 1


def test_second_seeding_changes_nothing(database: Database, sample: Sample) -> None:
    assert database.write_now(lambda c: seed(c, sample))
    before = database.read_now(verify_archive).entries
    assert not database.write_now(lambda c: seed(c, sample))
    assert database.read_now(verify_archive).entries == before


def test_seeding_that_dies_leaves_nothing_and_can_be_repeated(
    database: Database, sample: Sample
) -> None:
    def die(connection: Connection) -> None:
        seed(connection, sample)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write_now(die)
    assert database.read_now(is_empty)
    assert database.write_now(lambda c: seed(c, sample))


def test_relative_times_are_never_in_the_future() -> None:
    zone = ZoneInfo("Europe/Zurich")
    now = int(datetime(2026, 11, 20, 0, 30, tzinfo=UTC).timestamp() * 1000)
    assert absolute_utc_ms("-4m", now, zone) == now - 240_000
    yesterday = absolute_utc_ms("-1d 15:12", now, zone)
    assert datetime.fromtimestamp(yesterday / 1000, zone).isoformat() == "2026-11-19T15:12:00+01:00"
    assert absolute_utc_ms("-0d 23:59", now, zone) == now
    assert absolute_utc_ms("2030-01-01T00:00:00+00:00", now, zone) == now
