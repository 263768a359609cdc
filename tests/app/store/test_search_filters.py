"""Filters of the search: who, where, when, with files; and what becomes of an older index.

It never looks into the index.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from app.domain.changes import ChangeSet
from app.domain.search import AdviceKind
from app.store.search_rows import TAGLESS_BELOW, note_tagless
from app.store.store import Store
from contract.events import AccessRevoked, ConversationUpserted, Erased, MessageUpserted
from contract.ids import AttachmentId, ConversationId, EmployeeId, FirmId, MessageId
from contract.wire import Attachment, Channel, Direction, Me, Message
from tests.app.store.values import (
    START_UTC_MS,
    contact,
    conversation,
    event,
    fill,
    message,
    open_at,
)

DAY_MS = 86_400_000
ME = Me(
    employee_id=EmployeeId("emp"),
    firm_id=FirmId("firm"),
    display_name="Elena",
    initials="E",
    roles=(),
    time_zone="UTC",
    language="en",
)


def written(
    number: int, text: str, home: str, author: str, name: str, *, day: int, file: str = ""
) -> Message:
    """Return a message of an author, so many days after the start."""
    attached = Attachment(
        attachment_id=AttachmentId(f"a{number}"),
        name=file,
        media_type="application/pdf",
        size_bytes=1,
        sha256="",
    )
    return msgspec.structs.replace(
        message(f"m{number}", text, at=day * DAY_MS, home=home),
        author_id=author,
        author_name=name,
        direction=Direction.OUT if author == "emp" else Direction.IN,
        attachments=(attached,) if file else (),
    )


@pytest.fixture
async def searched(store: Store) -> Store:
    """Return a store with two clients, a colleague, three conversations and seven messages."""
    await store.cache.put_meta("me", msgspec.json.encode(ME))
    await fill(
        store,
        (
            conversation("wa", contacts=("hana",), title="Hana Watanabe"),
            conversation("li", contacts=("hana",), title="Hana Watanabe", channel=Channel.LINE),
            conversation("group", contacts=("hana", "marcus"), title="Ardent · deal team"),
        ),
        (
            written(0, "report one", "wa", "hana", "Hana Watanabe", day=0),
            written(1, "report two", "wa", "emp", "Elena", day=1),
            written(2, "report three", "li", "hana", "Hana Watanabe", day=40, file="terms.pdf"),
            written(3, "report four", "group", "marcus", "Marcus Feld", day=400),
            written(4, "report five", "group", "hana", "Hana Watanabe", day=401),
            written(5, "report six", "group", "col", "Kenta Tan", day=402),
            written(6, "no such word", "group", "emp", "Elena", day=403),
        ),
        (contact("hana", "Hana Watanabe"), contact("marcus", "Marcus Feld", organisation="Hana")),
    )
    return store


async def _found(store: Store, query: str, home: ConversationId | None = None) -> list[int]:
    hits = (await store.search.search(query, home=home)).messages
    return [int(hit.message_id[1:]) for hit in hits]


def _day(number: int) -> str:
    return datetime.fromtimestamp(START_UTC_MS / 1000 + number * 86_400, UTC).strftime("%Y-%m-%d")


async def test_each_filter_leaves_what_it_says(searched: Store) -> None:
    expected = {
        "report from:hana": [4, 2, 0],
        "report from:“Hana Watanabe” in:ardent": [4],
        "report with:marcus": [5, 4, 3],
        "report with:hana in:deal": [5, 4, 3],
        'report in:"hana watanabe"': [2, 1, 0],
        "report from:me": [1],
        "from:me": [6, 1],
        "from:me from:marcus": [6, 3, 1],
        "from:me in:ardent": [6],
        "report from:kenta": [5],
        "report channel:line": [2],
        "channel:li": [2],
        "has:file": [2],
        "terms has:file": [2],
        "report has:file channel:whatsapp": [],
        f"report before:{_day(300)}": [2, 1, 0],
        f"report after:{_day(300)} before:{_day(402)}": [4, 3],
        f"before:{_day(41)} after:{_day(39)}": [2],
        "report from:nobody": [],
        "in:nowhere report": [],
        "report from:": [5, 4, 3, 2, 1, 0],
        "report foo:bar": [],
    }
    for query, numbers in expected.items():
        assert await _found(searched, query) == numbers, query


async def test_what_a_filter_does_not_know_is_said(searched: Store) -> None:
    async def advice(query: str) -> list[AdviceKind]:
        return [each.kind for each in (await searched.search.search(query)).advice]

    assert await advice("report with:nobody") == [AdviceKind.NOBODY]
    assert await advice("report in:nowhere") == [AdviceKind.NO_CONVERSATION]
    assert await advice("report before:soon has:x") == [
        AdviceKind.NO_DATE,
        AdviceKind.UNKNOWN_THING,
    ]
    assert await advice("report from:kenta") == []


async def test_the_people_of_a_filter_are_shown(searched: Store) -> None:
    people = (await searched.search.search("two with:hana")).people
    assert [hit.contact.contact_id for hit in people] == ["hana"]
    assert await searched.search.names("han") == ("Hana Watanabe",)
    assert await searched.search.titles("deal") == ("Ardent · deal team",)


async def test_one_conversation_is_searched_alone(searched: Store) -> None:
    assert await _found(searched, "report", home=ConversationId("group")) == [5, 4, 3]
    assert await _found(searched, "report", home=ConversationId("unknown")) == []


async def test_hits_of_unlisted_conversations_do_not_shorten_the_list(store: Store) -> None:
    await fill(store, (conversation(),), tuple(message(f"m{n}", "same", at=n) for n in range(5)))
    hidden = [
        event(2, MessageUpserted(message=message(f"m{n}", "same", at=n, home="unknown")))
        for n in range(10, 200)
    ]
    await store.cache.apply_events(hidden, 2)
    results = await store.search.search("same", 5, 3)
    assert [hit.message_id for hit in results.messages] == ["m4", "m3", "m2"]
    rest = await store.search.search("same", 5, 3, below_row=results.next_row)
    assert [hit.message_id for hit in rest.messages] == ["m1", "m0"]
    assert rest.next_row is None and rest.people == ()


async def test_long_common_words_are_told_from_their_longest_prefix(store: Store) -> None:
    texts = ["confirmation of terms" if n % 50 == 7 else "confident" for n in range(300)]
    await fill(
        store, (conversation(),), tuple(message(f"m{n}", t, at=n) for n, t in enumerate(texts))
    )
    assert await _found(store, "confirm") == [257, 207, 157, 107, 57, 7]
    assert len((await store.search.search("confident", 0, 200)).messages) == 200
    assert await _found(store, '"confirmation of"') == [257, 207, 157, 107, 57, 7]
    assert await _found(store, '"terms confirmation"') == []


async def test_a_title_is_found_as_it_is_now(searched: Store) -> None:
    renamed = conversation("wa", version=2, contacts=("hana",), title="Sakura Family")
    await searched.cache.apply_events([event(2, ConversationUpserted(conversation=renamed))], 2)
    assert await _found(searched, "report in:sakura") == [1, 0]
    assert await _found(searched, 'report in:"hana"') == [2]
    revoked = AccessRevoked(conversation_id=ConversationId("wa"))
    await searched.cache.apply_events([event(3, revoked)], 3)
    assert await searched.search.titles("sakura") == ()
    assert await _found(searched, "report from:hana") == [4, 2]


async def test_no_text_can_pretend_to_belong_elsewhere(store: Store) -> None:
    forged = "plain \U000f0001 \U000f0002\U00100003 \uf000 words"
    homes = (conversation("one"), conversation("two"))
    await fill(store, homes, (message("m1", forged, at=1, home="one"),))
    assert await _found(store, "has:file") == []
    assert await _found(store, "plain", home=ConversationId("two")) == []
    assert await _found(store, "plain", home=ConversationId("one")) == [1]
    assert await _found(store, "\uf000") == []


async def test_an_index_without_tags_is_renewed_in_steps_and_says_so(searched: Store) -> None:
    databases = searched._databases

    def untag(connection: object) -> tuple[None, ChangeSet]:
        run = connection.exec_driver_sql  # type: ignore[attr-defined]  # the store's connection
        rows = [row[0] for row in run("SELECT row_id FROM messages")]
        for row_id in rows:
            run("DELETE FROM message_search WHERE rowid = ?", (row_id,))
            run("INSERT INTO message_search (rowid, body) VALUES (?, 'report')", (row_id,))
        note_tagless(connection)  # type: ignore[arg-type]  # the store's connection
        return None, ChangeSet()

    await databases.write_cache(untag)
    results = await searched.search.search("report from:hana")
    assert results.messages == ()
    assert [each.kind for each in results.advice] == [AdviceKind.INDEX_UNFINISHED]
    assert await _found(searched, "report") == [5, 4, 3, 2, 1, 0]
    await searched.upkeep.finish_index()
    assert await searched.cache.get_meta(TAGLESS_BELOW) is None
    assert await _found(searched, "report from:hana") == [4, 2, 0]
    assert (await searched.check()).search_index_sound


async def test_a_genuine_cache_of_version_1_gets_its_tags_and_titles(tmp_path: Path) -> None:
    shutil.copyfile(Path(__file__).parent / "data" / "cache-version-1.db", tmp_path / "cache.db")
    store = await open_at(tmp_path)
    title = (await store.search.search("changed afterwards")).messages[0].conversation_title
    asked = f'in:"{title}"'
    assert [each.kind for each in (await store.search.search(asked)).advice] == [
        AdviceKind.INDEX_UNFINISHED
    ]
    await store.upkeep.finish_index()
    results = await store.search.search(f"changed {asked}")
    assert [hit.message_id for hit in results.messages] == ["m005"] and results.advice == ()
    assert len((await store.search.search(asked)).messages) > 1
    assert await store.search.names("omer 26") == ("Ömer 26",)
    await store.close()


async def test_an_erased_message_is_not_found_by_words_or_filters(searched: Store) -> None:
    gone = Erased(conversation_id=ConversationId("li"), message_ids=(MessageId("m2"),))
    await searched.cache.apply_events([event(2, gone)], 2)
    for query in ("three", "terms", "has:file", "channel:line"):
        assert await _found(searched, query) == [], query
