"""Shows that a send is durable, ordered, taken once, and told plainly when it is refused.

It does not deliver anything: the backend does.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.domain.clock import SystemClock
from app.domain.drafts import Draft
from app.domain.errors import Conflict, Refused, TooLarge
from app.domain.timeline import OutboxEntry
from app.outbox.lanes import LaneRunner
from app.outbox.submission import Submitter
from app.store.store import Store
from backend_client.client import GovernedApi
from contract.ids import AttachmentId, ConversationId, MessageId
from contract.problems import ProblemCode
from contract.states import DeliveryState, OutboxEvent, OutboxState
from contract.wire import Attachment, Direction, Message, MessageKind, WireFinding
from tests.app.conftest import open_store
from tests.app.outbox.conftest import Sending, build, fill, running
from tests.app.small_backend import SmallBackend, problem, until
from tests.support.log_guard import LogGuard
from tests.support.tcp_proxy import TcpProxy

C0, C1 = ConversationId("c0"), ConversationId("c1")
Outbox = AbstractAsyncContextManager[Sending]


async def _entry(store: Store, message_id: MessageId) -> OutboxEntry:
    entry = await store.outbox.get(message_id)
    assert entry is not None
    return entry


async def _gone(store: Store, message_id: MessageId) -> None:
    async with asyncio.timeout(60):
        while await store.outbox.get(message_id) is not None:
            await asyncio.sleep(0.005)


async def _state(store: Store, message_id: MessageId, state: OutboxState) -> OutboxEntry:
    async with asyncio.timeout(60):
        while (entry := await _entry(store, message_id)).state is not state:
            await asyncio.sleep(0.005)
    return entry


async def test_sent_message_is_taken_and_stands_in_the_cache(
    world: SmallBackend, synced: Store, sending: Outbox
) -> None:
    """The server's message replaces the outbox row."""
    async with sending as outbox:
        message_id = await outbox.messaging.send(C0, "hello")
        await _gone(synced, message_id)
    row = await synced.timeline.message(message_id)
    assert row is not None
    assert (row.message.text, row.message.state) == ("hello", DeliveryState.ARCHIVED)
    assert row.outbox is None
    assert world.texts() == ["hello"]
    sent = world.submitted[0]
    assert (len(sent.salt), sent.revision, sent.message_id) == (64, 1, message_id)


async def test_send_returns_after_the_commit_and_removes_the_draft(
    synced: Store, governed_api: GovernedApi
) -> None:
    """Nothing runs yet: the row alone is the answer, and the composer may clear."""
    outbox = build(governed_api, synced)
    await outbox.messaging.save_draft(Draft(conversation_id=C0, text="half a thought"))
    message_id = await outbox.messaging.send(C0, "a whole thought")
    assert (await _entry(synced, message_id)).state is OutboxState.QUEUED
    assert await synced.drafts.get(C0) is None


async def test_undo_within_its_period_restores_the_draft_and_nothing_is_submitted(
    world: SmallBackend, synced: Store, sending: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is back in the composer."""
    monkeypatch.setattr("app.outbox.lanes.LONGEST_UNDO_S", 3_600)
    async with sending as outbox:
        outbox.undo.seconds = 3_600
        message_id = await outbox.messaging.send(C0, "too fast")
        assert (await _entry(synced, message_id)).state is OutboxState.UNDO
        draft = await outbox.messaging.undo(message_id)
        assert draft.text == "too fast"
        assert (await synced.drafts.get(C0)) == draft
        outbox.undo.seconds = 0
        await _gone(synced, await outbox.messaging.send(C0, "second"))
    assert world.texts() == ["second"]


async def test_undo_comes_too_late_once_the_message_left(synced: Store, sending: Outbox) -> None:
    """The person is told, nothing is taken back."""
    async with sending as outbox:
        message_id = await outbox.messaging.send(C0, "gone")
        await _gone(synced, message_id)
        with pytest.raises(Conflict):
            await outbox.messaging.undo(message_id)


async def test_undo_period_ends_by_itself(
    world: SmallBackend, synced: Store, sending: Outbox
) -> None:
    """Then the message goes, and not before."""
    submitted_s: list[float] = []
    world.fault = lambda request: submitted_s.append(time.monotonic())
    async with sending as outbox:
        outbox.undo.seconds = 1
        sent_s = time.monotonic()
        message_id = await outbox.messaging.send(C0, "in a second")
        await _gone(synced, message_id)
    assert world.texts() == ["in a second"]
    assert submitted_s[0] - sent_s > 0.9  # the wall clock that ends the period may be mended


async def test_send_in_its_undo_period_goes_on_after_a_kill(
    world: SmallBackend, governed_api: GovernedApi, tmp_path: Path
) -> None:
    """The person pressed Send: the table queues it."""
    store = await open_store(tmp_path)
    await fill(world, store)
    outbox = build(governed_api, store)
    outbox.undo.seconds = 10
    message_id = await outbox.messaging.send(C0, "cut short")
    await store.close()
    store = await open_store(tmp_path)
    async with running(build(governed_api, store)):
        await _gone(store, message_id)
    await store.close()
    assert world.texts() == ["cut short"]


async def test_messages_of_a_conversation_arrive_in_order_though_the_first_fails(
    world: SmallBackend, synced: Store, sending: Outbox
) -> None:
    """One lane per conversation: others pass meanwhile."""
    failures: list[int] = []

    def first_fails(request: Request) -> Response | None:
        if request.path_params.get("conversation_id") == "c0" and len(failures) < 3:
            failures.append(1)
            return problem(ProblemCode.UNAVAILABLE)
        return None

    world.fault = first_fails
    async with sending as outbox:
        ids = [await outbox.messaging.send(C0, f"{number}") for number in range(5)]
        ids.append(await outbox.messaging.send(C1, "other"))
        for message_id in ids:
            await _gone(synced, message_id)
    texts = world.texts()
    assert [text for text in texts if text != "other"] == ["0", "1", "2", "3", "4"]
    assert len(failures) == 3


async def test_denied_message_is_not_retried_and_keeps_its_findings(
    world: SmallBackend, synced: Store, sending: Outbox
) -> None:
    """The lane goes on; the text can be mended."""
    finding = WireFinding(
        rule_id="card", action="block", start=0, end=4, message_key="card", message="A card number"
    )
    denied = [problem(ProblemCode.POLICY_DENIED, findings=(finding,), detail="A card number.")]
    world.fault = lambda request: denied.pop() if denied else None
    async with sending as outbox:
        message_id = await outbox.messaging.send(C0, "4111 1111 1111 1111")
        entry = await _state(synced, message_id, OutboxState.REFUSED)
        assert (entry.problem_code, entry.findings) == ("policy_denied", (finding,))
        assert entry.problem_detail == "A card number."
        await _gone(synced, await outbox.messaging.send(C0, "fine"))
        assert await synced.outbox.counts() == (0, 1)
        draft = await outbox.messaging.edit_refused(message_id)
        assert draft.text == "4111 1111 1111 1111"
        assert await synced.outbox.counts() == (0, 0)
    assert sum(world.tries.values()) == 2


@pytest.mark.parametrize(
    "code",
    [
        ProblemCode.BAD_REQUEST,
        ProblemCode.FORBIDDEN,
        ProblemCode.NOT_FOUND,
        ProblemCode.TOO_LARGE,
        ProblemCode.READ_ONLY,
        ProblemCode.IDEMPOTENCY_KEY_REUSED,
        ProblemCode.ATTACHMENT_INCOMPLETE,
    ],
)
async def test_refusal_is_named_and_final(
    world: SmallBackend, synced: Store, sending: Outbox, code: ProblemCode
) -> None:
    """The code stays with the entry so that the person reads why."""
    world.fault = lambda request: problem(code)
    async with sending as outbox:
        message_id = await outbox.messaging.send(C0, "no")
        entry = await _state(synced, message_id, OutboxState.REFUSED)
    assert entry.problem_code == code
    assert sum(world.tries.values()) == 1


@pytest.mark.parametrize("code", [ProblemCode.UNAUTHENTICATED, ProblemCode.CLIENT_TOO_OLD])
async def test_sign_in_and_version_faults_keep_the_message_waiting(
    world: SmallBackend, synced: Store, sending: Outbox, code: ProblemCode
) -> None:
    """The message is not at fault."""
    world.fault = lambda request: problem(code)
    async with sending as outbox:
        message_id = await outbox.messaging.send(C0, "patience")
        await until(lambda: sum(world.tries.values()) == 1)
        await _state(synced, message_id, OutboxState.QUEUED)
        world.fault = None
        outbox.messaging.retry_now()
        await _gone(synced, message_id)
    assert world.texts() == ["patience"]


async def test_without_a_line_the_message_waits_and_goes_when_it_is_back(
    world: SmallBackend, synced: Store, sending: Outbox, line: TcpProxy
) -> None:
    """Waiting is counted, nothing is lost, nothing is doubled."""
    line.refuse()
    async with sending as outbox:
        message_id = await outbox.messaging.send(C0, "later")
        async with asyncio.timeout(60):
            while (await _entry(synced, message_id)).problem_code != "offline":
                await asyncio.sleep(0.005)
        assert await synced.outbox.counts() == (1, 0)
        line.restore()
        outbox.messaging.retry_now()
        await _gone(synced, message_id)
    assert world.texts() == ["later"]


async def test_waiting_message_can_be_cancelled(synced: Store, governed_api: GovernedApi) -> None:
    """Its text is a draft again, before what was typed since."""
    outbox = build(governed_api, synced)
    message_id = await outbox.messaging.send(C0, "first")
    await outbox.messaging.save_draft(Draft(conversation_id=C0, text="second"))
    draft = await outbox.messaging.cancel(message_id)
    assert draft.text.startswith("first")
    assert draft.text.endswith("second")


async def test_lost_answer_is_asked_for_again_with_the_same_key(
    world: SmallBackend, synced: Store, sending: Outbox, line: TcpProxy
) -> None:
    """The backend took it; the cut answer makes no second message."""
    async with sending as outbox:
        await _gone(synced, await outbox.messaging.send(C1, "warm"))
        line.cut_after(down_bytes=0)
        message_id = await outbox.messaging.send(C0, "once")
        await _gone(synced, message_id)
    assert world.texts() == ["warm", "once"]
    assert world.tries[f"{message_id}.1"] >= 2


@pytest.mark.parametrize("step", ["queued", "sending", "answered", "applied", "accepted"])
async def test_kill_between_any_two_steps_loses_nothing_and_doubles_nothing(
    world: SmallBackend, governed_api: GovernedApi, tmp_path: Path, step: str
) -> None:
    """The store is closed as it stood after the step, and Parley starts again."""
    store = await open_store(tmp_path)
    await fill(world, store)
    outbox = build(governed_api, store)
    message_id = await outbox.messaging.send(C0, "exactly once")
    if step != "queued":
        entry = await store.outbox.transition(message_id, OutboxEvent.START)
        if step != "sending":
            from app.domain.submission import submission_of

            answer = await governed_api.commands.submit(C0, submission_of(entry))
            if step != "answered":
                await store.cache.apply_answers(messages=(answer.message,))
                if step != "applied":
                    await store.outbox.transition(message_id, OutboxEvent.ACCEPT)
    await store.close()
    store = await open_store(tmp_path)
    async with running(build(governed_api, store)):
        await _gone(store, message_id)
        window = await store.timeline.around(C0)
    await store.close()
    assert world.texts() == ["exactly once"]
    assert [row.message.text for row in window.rows] == ["exactly once"]


async def test_cancelled_attempt_is_resumed_by_the_next_run(
    world: SmallBackend, synced: Store, governed_api: GovernedApi, line: TcpProxy
) -> None:
    """Closing in the middle of a submission leaves SENDING; the next run queues it again."""
    line.stall()
    async with running(build(governed_api, synced)) as outbox:
        message_id = await outbox.messaging.send(C0, "in the middle")
        await _state(synced, message_id, OutboxState.SENDING)
    assert (await _entry(synced, message_id)).state is OutboxState.SENDING
    line.restore()
    async with running(build(governed_api, synced)):
        await _gone(synced, message_id)
    assert world.texts() == ["in the middle"]


async def test_fifty_conversations_share_a_few_lanes(
    world: SmallBackend, synced: Store, sending: Outbox
) -> None:
    """Every message of every conversation arrives, in order within each."""
    async with sending as outbox:
        ids = [
            await outbox.messaging.send(ConversationId(f"x{number}"), f"{number}:{turn}")
            for turn in range(3)
            for number in range(50)
        ]
        for message_id in ids:
            await _gone(synced, message_id)
    by_conversation: dict[str, list[str]] = {}
    for text in world.texts():
        number, turn = text.split(":")
        by_conversation.setdefault(number, []).append(turn)
    assert len(by_conversation) == 50
    assert all(turns == ["0", "1", "2"] for turns in by_conversation.values())


async def test_nothing_to_send_and_too_much_are_refused_here(
    synced: Store, governed_api: GovernedApi
) -> None:
    """The draft stays as it is."""
    outbox = build(governed_api, synced)
    with pytest.raises(Refused):
        await outbox.messaging.send(C0, " \n ")
    with pytest.raises(TooLarge):
        await outbox.messaging.send(C0, "x" * 16_001)
    outbox.messaging.stop_intake()
    with pytest.raises(Conflict):
        await outbox.messaging.send(C0, "closing")
    assert await synced.outbox.counts() == (0, 0)


async def test_read_mark_goes_through_as_soon_as_there_is_a_line(
    world: SmallBackend, synced: Store, sending: Outbox, line: TcpProxy
) -> None:
    """Up to the newest message here, by the server's time."""
    line.refuse()
    async with sending as outbox:
        await outbox.messaging.mark_read(C1)
        await asyncio.sleep(0.05)
        line.restore()
        outbox.messaging.retry_now()
        await until(lambda: len(world.read_marks) == 1)
        await outbox.messaging.mark_read(ConversationId("nowhere"))
    assert world.read_marks == [("c1", world.conversations[1].last_activity_utc_ms)]


async def test_only_what_was_seen_is_marked_as_read(
    world: SmallBackend, synced: Store, sending: Outbox
) -> None:
    """A moment before the newest message leaves that one unread; a later one changes nothing."""
    newest_utc_ms = world.conversations[1].last_activity_utc_ms
    async with sending as outbox:
        await outbox.messaging.mark_read(C1, newest_utc_ms - 5)
        await until(lambda: len(world.read_marks) == 1)
        await outbox.messaging.mark_read(C1, newest_utc_ms + 5)
        await until(lambda: len(world.read_marks) == 2)
    assert world.read_marks == [("c1", newest_utc_ms - 5), ("c1", newest_utc_ms)]


async def test_typing_without_a_line_is_of_no_consequence(sending: Outbox, line: TcpProxy) -> None:
    """Nobody is told."""
    line.refuse()
    async with sending as outbox:
        await outbox.messaging.typing(C0, True)


async def test_answer_about_another_message_is_not_believed(
    world: SmallBackend, synced: Store, sending: Outbox
) -> None:
    """The message stays in its lane and is asked for again under its own key."""
    world.answer_for = MessageId("somebody-elses")
    async with sending as outbox:
        message_id = await outbox.messaging.send(C0, "mine")
        await _gone(synced, message_id)
    assert await synced.timeline.message(MessageId("somebody-elses")) is None
    assert world.texts() == ["mine"]
    assert world.tries[f"{message_id}.1"] == 2


class SetBackClock(SystemClock):
    """A computer's clock that somebody sets back by an hour."""

    back_ms = 0

    def now_utc_ms(self) -> int:
        """Return the time as the computer shows it."""
        return super().now_utc_ms() - self.back_ms


async def test_clock_set_back_does_not_hold_a_message_in_its_undo_period(
    world: SmallBackend, synced: Store, governed_api: GovernedApi
) -> None:
    """The period is a second, not an hour and a second."""
    clock = SetBackClock()
    outbox = build(governed_api, synced, clock)
    async with running(outbox):
        outbox.undo.seconds = 1
        message_id = await outbox.messaging.send(C0, "before summer time ended")
        clock.back_ms = 3_600_000
        await _gone(synced, message_id)
    assert world.texts() == ["before summer time ended"]


async def test_an_unreadable_hint_in_the_middle_holds_no_message(
    world: SmallBackend, synced: Store, governed_api: GovernedApi
) -> None:
    outbox = build(governed_api, synced)
    ids = [await outbox.messaging.send(C0, f"{number}", hint=b"{") for number in range(3)]
    async with running(outbox):
        for message_id in ids:
            await _gone(synced, message_id)
    assert world.texts() == ["0", "1", "2"]


async def test_an_attempt_that_ends_unforeseen_waits_again_and_is_not_doubled(
    world: SmallBackend,
    synced: Store,
    governed_api: GovernedApi,
    expect_log: LogGuard,
) -> None:
    """It would stand as being sent until the next start, and nobody could take it back."""
    expect_log("outbox lane: ZeroDivisionError", logger="app.outbox.lanes")
    failing = [True]

    def answered(message: Message | None) -> None:
        if failing:
            failing.pop()
            raise ZeroDivisionError

    clock = SystemClock()
    outbox = build(governed_api, synced, clock)
    lanes = LaneRunner(synced, Submitter(governed_api, synced, clock, lambda: 0.0, answered), clock)
    async with running(replace(outbox, lanes=lanes)):
        message_id = await outbox.messaging.send(C0, "once")
        lanes.wake()
        async with asyncio.timeout(60):
            while (await _entry(synced, message_id)).problem_code != "bug":
                await asyncio.sleep(0.005)
        assert (await _entry(synced, message_id)).state is OutboxState.QUEUED
        lanes.retry_all()
        await _gone(synced, message_id)
    assert world.texts() == ["once"]


async def test_clock_set_forward_and_back_holds_no_message_for_that_hour(
    world: SmallBackend, synced: Store, governed_api: GovernedApi
) -> None:
    clock = SetBackClock()
    outbox = build(governed_api, synced, clock)
    async with running(outbox):
        outbox.undo.seconds = 1
        clock.back_ms = -3_600_000
        message_id = await outbox.messaging.send(C0, "composed an hour ahead")
        await until(lambda: outbox.lanes._ahead_ms >= outbox.lanes._offset_ms() - 1_000)
        clock.back_ms = 0
        await _gone(synced, message_id)
    assert world.texts() == ["composed an hour ahead"]


async def test_clock_that_was_ahead_at_the_start_leaves_each_message_its_undo_period(
    world: SmallBackend, synced: Store, governed_api: GovernedApi
) -> None:
    clock = SetBackClock()
    clock.back_ms = -3_600_000
    outbox = build(governed_api, synced, clock)
    async with running(outbox):
        outbox.undo.seconds = 2
        clock.back_ms = 0
        began_s = time.monotonic()
        message_id = await outbox.messaging.send(C0, "can be undone for two seconds")
        await _gone(synced, message_id)
    assert time.monotonic() - began_s > 1.9
    assert world.texts() == ["can be undone for two seconds"]


def _not_delivered(state: DeliveryState, files: tuple[Attachment, ...] = ()) -> Message:
    return Message(
        message_id=MessageId("m-failed"),
        conversation_id=C0,
        version=3,
        revision=1,
        direction=Direction.OUT,
        kind=MessageKind.TEXT,
        text="please buy 2 000",
        place_at_utc_ms=5,
        place_index=5,
        occurred_at_utc_ms=5,
        author_id="e1",
        author_name="Elena",
        state=state,
        attachments=files,
    )


@pytest.mark.parametrize(
    "state", [DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.BLOCKED]
)
async def test_text_of_what_was_not_delivered_joins_the_draft(
    synced: Store, governed_api: GovernedApi, state: DeliveryState
) -> None:
    """Nothing in the draft is overwritten, and the message itself stays where it is."""
    outbox = build(governed_api, synced)
    message = _not_delivered(state)
    await synced.cache.apply_answers(messages=(message,))
    assert (await outbox.messaging.edit_refused(message.message_id)).text == "please buy 2 000"
    await outbox.messaging.save_draft(Draft(conversation_id=C0, text="by the way\n"))
    draft = await outbox.messaging.edit_refused(message.message_id)
    assert draft.text == "by the way\nplease buy 2 000"
    assert await synced.drafts.get(C0) == draft
    assert await synced.timeline.message(message.message_id) is not None


async def test_only_a_blocked_messages_files_go_along(
    synced: Store, governed_api: GovernedApi
) -> None:
    """The backend lets no other file go a second time."""
    outbox = build(governed_api, synced)
    file = Attachment(
        attachment_id=AttachmentId("a1"),
        name="terms.pdf",
        media_type="application/pdf",
        size_bytes=5,
        sha256="00",
    )
    await synced.cache.apply_answers(messages=(_not_delivered(DeliveryState.FAILED, (file,)),))
    assert (await outbox.messaging.edit_refused(MessageId("m-failed"))).attachment_ids == ()
    blocked = msgspec.structs.replace(_not_delivered(DeliveryState.BLOCKED, (file,)), version=4)
    await synced.cache.apply_answers(messages=(blocked,))
    draft = await outbox.messaging.edit_refused(MessageId("m-failed"))
    assert draft.attachment_ids == (AttachmentId("a1"),)
    assert await synced.drafts.attachments(draft.attachment_ids) == (file,)


async def test_what_is_on_its_way_can_not_be_edited(
    synced: Store, governed_api: GovernedApi
) -> None:
    outbox = build(governed_api, synced)
    await synced.cache.apply_answers(messages=(_not_delivered(DeliveryState.SENT),))
    with pytest.raises(Conflict):
        await outbox.messaging.edit_refused(MessageId("m-failed"))
    assert await synced.drafts.get(C0) is None
