"""Tests of the row that a start shows before the store is open. They never open a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.drafts import Draft
from app.domain.first_frame import FirstFrame
from app.domain.version import CLIENT_VERSION
from app.store import first_frame
from app.store.first_frame import CACHE_FILE, OUTBOX_FILE, read_first_frame
from app.store.store import Store
from contract.events import AccessRevoked, Erased
from contract.ids import AttachmentId, ConversationId, EmployeeId, FirmId, MessageId
from contract.wire import Me
from tests.app.store.values import (
    CACHE_KEY,
    HOME,
    OUTBOX_KEY,
    START_UTC_MS,
    contact,
    conversation,
    event,
    fill,
    message,
    open_at,
    page,
)

SECRET = "secret words"


def read(folder: Path, cache_key: bytes = CACHE_KEY) -> FirstFrame | None:
    """Return what a start would show."""
    return read_first_frame((folder / CACHE_FILE, cache_key), (folder / OUTBOX_FILE, OUTBOX_KEY))


async def kept(folder: Path) -> Store:
    """Return an open store of one conversation, whose frame is kept."""
    store = await open_at(folder)
    await fill(
        store,
        (conversation(contacts=("p",)), conversation("other", activity=-5)),
        tuple(message(f"m{n}", f"{SECRET} {n}", at=n) for n in range(60)),
        (contact("p", "Hana Watanabe"),),
    )
    assert await store.frames.keep(HOME, None, START_UTC_MS)
    return store


async def test_a_start_shows_the_inbox_and_the_conversation_with_its_draft(tmp_path: Path) -> None:
    store = await kept(tmp_path)
    draft = Draft(HOME, "half a sentence", MessageId("m59"), (AttachmentId("a"),), 7)
    await store.drafts.save(draft)
    for running in (True, False):
        frame = read(tmp_path)
        assert frame is not None and frame.opened is not None
        assert [row.conversation.conversation_id for row in frame.rows] == [HOME, "other"]
        assert frame.rows[0].draft_text == "half a sentence"
        assert frame.counts == await store.inbox.counts(0, 0) if running else True
        assert frame.opened.draft == draft
        assert frame.opened.rows[-1].message.text == f"{SECRET} 59" and frame.opened.has_older
        assert [one.display_name for one in frame.opened.contacts] == ["Hana Watanabe"]
        if running:
            await store.close()


async def test_a_draft_that_answers_what_the_frame_lacks_hides_the_conversation(
    tmp_path: Path,
) -> None:
    store = await kept(tmp_path)
    await store.drafts.save(Draft(HOME, "an answer", MessageId("m0")))
    await store.close()
    frame = read(tmp_path)
    assert frame is not None and frame.opened is None and frame.rows[0].draft_text == "an answer"


async def test_drafts_are_kept_in_the_outbox_file_alone(tmp_path: Path) -> None:
    store = await open_at(tmp_path)
    await fill(store, (conversation(),), (message("m"),))
    await store.drafts.save(Draft(HOME, SECRET))
    await store.frames.keep(HOME, None, START_UTC_MS)
    value = await store.cache.get_meta(first_frame.FIRST_FRAME)
    await store.close()
    assert value is not None and SECRET.encode() not in value


@pytest.mark.parametrize("purge", ["revoked", "erased", "one", "all", "resync"])
async def test_a_purge_takes_the_row_in_its_own_commit(tmp_path: Path, purge: str) -> None:
    store = await kept(tmp_path)
    assert read(tmp_path) is not None
    if purge == "revoked":
        await store.cache.apply_events([event(9, AccessRevoked(conversation_id=HOME))], 9)
    elif purge == "erased":
        body = Erased(conversation_id=HOME, message_ids=(MessageId("m59"),))
        await store.cache.apply_events([event(9, body)], 9)
    elif purge == "one":
        await store.cache.purge_conversation(HOME)
    elif purge == "all":
        await store.cache.purge_all()
    else:
        await store.cache.begin_resync()
        await store.cache.apply_snapshot_page(page(seq=20), first=True)
    assert await store.cache.get_meta(first_frame.FIRST_FRAME) is None
    assert read(tmp_path) is None
    await store.close()
    assert SECRET.encode() not in (tmp_path / CACHE_FILE).read_bytes()


async def test_a_purge_between_reading_and_writing_is_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await kept(tmp_path)
    around, purged = store.timeline.around, False

    async def purge_after(
        talk: ConversationId, anchor: MessageId | None = None, before: int = 0, after: int = 0
    ) -> object:
        nonlocal purged
        window = await around(talk, anchor, before, after)
        if not purged:
            purged = True
            body = Erased(conversation_id=HOME, message_ids=(MessageId("m59"),))
            await store.cache.apply_events([event(9, body)], 9)
        return window

    monkeypatch.setattr(store.timeline, "around", purge_after)
    assert await store.frames.keep(HOME, None, START_UTC_MS)
    frame = read(tmp_path)
    assert frame is not None and frame.opened is not None
    assert frame.opened.rows[-1].message.text == f"{SECRET} 58"
    await store.close()


async def test_who_is_signed_in_stands_in_the_frame(tmp_path: Path) -> None:
    store = await open_at(tmp_path)
    await fill(store, (conversation(),), ())
    me = Me(
        employee_id=EmployeeId("e1"),
        firm_id=FirmId("f"),
        display_name="Aiko Mori",
        initials="AM",
        roles=(),
        language="en",
        time_zone="Asia/Tokyo",
    )
    await store.frames.keep(None, me, START_UTC_MS)
    await store.close()
    frame = read(tmp_path)
    assert frame is not None and frame.opened is None
    assert (frame.me_id, frame.me_name, frame.me_initials) == ("e1", "Aiko Mori", "AM")


async def test_what_cannot_be_read_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(tmp_path) is None
    store = await kept(tmp_path)
    await store.close()
    assert read(tmp_path) is not None and read(tmp_path, b"x" * 32) is None
    with monkeypatch.context() as patched:
        patched.setattr(first_frame, "CLIENT_VERSION", f"{CLIENT_VERSION}1")
        assert read(tmp_path) is None
    store = await open_at(tmp_path)
    await store.cache.put_meta(first_frame.FIRST_FRAME, b"garbage")
    await store.close()
    assert read(tmp_path) is None
    (tmp_path / CACHE_FILE).write_bytes(b"damaged" * 999)
    assert read(tmp_path) is None
