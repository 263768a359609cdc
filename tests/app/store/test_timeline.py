"""Tests of timeline windows and of the outbox laid over them.

It never looks into tables.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from app.domain.timeline import MAX_WINDOW_ROWS, TimelineWindow
from app.store.store import Store
from contract.events import MessageUpserted
from contract.ids import AttachmentId, EmployeeId, FirmId, MessageId
from contract.states import DeliveryState, OutboxEvent, OutboxState
from contract.wire import Attachment, Direction, Me
from tests.app.store.values import HOME, conversation, entry, event, fill, message


def _ids(window: TimelineWindow) -> list[str]:
    return [row.message.message_id for row in window.rows]


async def _filled(store: Store, server: int, waiting: int = 0) -> list[str]:
    messages = tuple(message(f"s{n:03}", at=n // 3, index=n) for n in range(server))
    await fill(store, (conversation(),), messages)
    for n in range(waiting):
        await store.outbox.add(entry(f"w{n:03}"))
    return [f"s{n:03}" for n in range(server)] + [f"w{n:03}" for n in range(waiting)]


async def test_windows_join_to_the_whole_conversation_in_both_directions(store: Store) -> None:
    whole = await _filled(store, 40, 7)
    window = await store.timeline.around(HOME, None, 6, 0)
    seen = _ids(window)
    while window.has_older:
        window = await store.timeline.older(HOME, MessageId(seen[0]), 6)
        assert window.has_newer
        seen = _ids(window) + seen
    assert seen == whole
    forward = _ids(await store.timeline.around(HOME, MessageId(whole[0]), 3, 4))
    while True:
        window = await store.timeline.newer(HOME, MessageId(forward[-1]), 6)
        forward += _ids(window)
        if not window.has_newer:
            break
    assert forward == whole


async def test_every_anchor_gets_its_neighbours(store: Store) -> None:
    whole = await _filled(store, 12, 5)
    for place, anchor in enumerate(whole):
        window = await store.timeline.around(HOME, MessageId(anchor), 4, 3)
        assert _ids(window) == whole[max(0, place - 4) : place + 4]
        assert window.has_older == (place > 4)
        assert window.has_newer == (place + 3 < len(whole) - 1)


async def test_a_window_never_holds_more_than_its_limit(store: Store) -> None:
    await _filled(store, 700)
    for before, after in ((10_000, 10_000), (0, 10_000), (400, 400)):
        window = await store.timeline.around(HOME, MessageId("s350"), before, after)
        assert len(window.rows) <= MAX_WINDOW_ROWS and "s350" in _ids(window)
    assert len((await store.timeline.older(HOME, MessageId("s699"), 9_999)).rows) == 500


async def test_an_unknown_anchor_shows_the_newest_rows(store: Store) -> None:
    whole = await _filled(store, 9)
    window = await store.timeline.around(HOME, MessageId("gone"), 4, 4)
    assert _ids(window) == whole[-4:] and window.has_older and not window.has_newer
    assert (await store.timeline.older(HOME, MessageId("gone"), 5)).rows == ()


async def test_a_waiting_send_is_shown_as_the_persons_own_last_message(store: Store) -> None:
    await _filled(store, 2)
    me = Me(
        employee_id=EmployeeId("e1"),
        firm_id=FirmId("f"),
        display_name="Rosa Meier",
        initials="RM",
        roles=(),
        time_zone="UTC",
        language="en",
    )
    await store.cache.put_meta("me", msgspec.json.encode(me))
    file = Attachment(
        attachment_id=AttachmentId("f1"), name="q3.pdf", media_type="a/b", size_bytes=3, sha256="0"
    )
    await store.drafts.remember_attachment(file)
    sent = replace(entry("w1", "see attached", quote="s001"), attachment_ids=(file.attachment_id,))
    await store.outbox.add(sent)
    row = (await store.timeline.around(HOME)).rows[-1]
    assert row.outbox == sent
    assert (row.message.author_name, row.message.direction) == ("Rosa Meier", Direction.OUT)
    assert row.message.state is None and row.message.text == "see attached"
    assert row.message.quote is not None and row.message.quote.text == "text of s001"
    assert row.message.attachments == (file,)
    assert await store.timeline.message(MessageId("w1")) == row


async def test_the_servers_message_replaces_the_waiting_one_before_it_is_forgotten(
    store: Store,
) -> None:
    await _filled(store, 2)
    await store.outbox.add(entry("m1"))
    await store.outbox.transition(MessageId("m1"), OutboxEvent.START)
    told = message("m1", "sent m1", at=50, direction=Direction.OUT)
    told = msgspec.structs.replace(told, state=DeliveryState.ARCHIVED)
    await store.cache.apply_events([event(2, MessageUpserted(message=told))], 2)
    window = await store.timeline.around(HOME)
    assert _ids(window) == ["s000", "s001", "m1"]
    assert window.rows[-1].message == told and window.rows[-1].outbox is None
    await store.outbox.forget(MessageId("m1"))
    assert await store.timeline.around(HOME) == window


async def test_a_refused_send_keeps_its_findings_beside_the_servers_record(store: Store) -> None:
    await _filled(store, 1)
    await store.outbox.add(entry("m1"))
    await store.outbox.transition(MessageId("m1"), OutboxEvent.START)
    await store.outbox.transition(MessageId("m1"), OutboxEvent.REFUSE, problem_code="policy_denied")
    await store.cache.apply_answers(messages=[message("m1", at=9, direction=Direction.OUT)])
    row = (await store.timeline.rows(HOME, [MessageId("m1")]))[0]
    assert row.outbox is not None and row.outbox.state is OutboxState.REFUSED
    assert row.outbox.problem_code == "policy_denied" and row.message.version == 1
