"""One text to several clients: each judged and written to alone, nobody against their line.

It never fakes the evaluator or the store; a small wire takes the submissions.
"""

from __future__ import annotations

import asyncio

import msgspec

from app.broadcast import Answers, BroadcastDesk
from app.domain.clock import SystemClock
from app.domain.drafts import Draft
from app.hints.engine import HintEngine
from app.store.store import Store
from backend_client.client import GovernedApi
from contract.ids import ConversationId, MessageId
from contract.policy.matrix import Reach
from contract.policy.model import Action
from contract.wire import (
    Channel,
    Consent,
    ConsentKind,
    ConsentStatus,
    Contact,
    Conversation,
    IdempotencyClass,
    Mode,
    SendCapability,
)
from tests.app.hints.test_engine import KEYS, packed
from tests.app.outbox.conftest import build, running
from tests.app.small_backend import SmallBackend
from tests.app.store import values

SEND = SendCapability(
    text_max_chars=4_096,
    attachments=True,
    replies=True,
    typing=True,
    receipts_delivered=True,
    receipts_read=True,
    idempotency=IdempotencyClass.SERVER_KEY,
)
OPEN, CLOSED, WALLED = "open", "closed", "walled"
REFUSED, NATIVE, GROUP = "refused", "native", "group"
ALL = [ConversationId(one) for one in (OPEN, CLOSED, WALLED, REFUSED, NATIVE, GROUP, "gone")]


def person(name: str, recording: ConsentStatus = ConsentStatus.ACCEPTED) -> Contact:
    """Return a client of that id and name."""
    consent = Consent(kind=ConsentKind.RECORDING, status=recording)
    return msgspec.structs.replace(values.contact(f"p-{name}", name), consents=(consent,))


def talk(name: str, **fields: object) -> Conversation:
    """Return a governed chat with the client of that name."""
    made = values.conversation(name, contacts=(f"p-{name}",))
    return msgspec.structs.replace(made, **({"send": SEND} | fields))


async def fill(store: Store) -> None:
    """Put one chat of each kind into the store."""
    now = SystemClock().now_utc_ms()
    talks = (
        talk(OPEN, window_closes_at_utc_ms=now + 3_600_000),
        talk(CLOSED, window_closes_at_utc_ms=now - 1),
        talk(WALLED, walled=True),
        talk(REFUSED, channel=Channel.SIGNAL),
        talk(NATIVE, mode=Mode.NATIVE, send=None),
        talk(GROUP, group=True),
    )
    people = tuple(
        person(name, ConsentStatus.REFUSED if name == REFUSED else ConsentStatus.ACCEPTED)
        for name in (OPEN, CLOSED, WALLED, REFUSED, NATIVE, GROUP)
    )
    page = values.page(contacts=people, conversations=talks)
    await store.cache.apply_snapshot_page(page, first=True)


def desk(api: GovernedApi, store: Store) -> BroadcastDesk:
    """Return a desk over the sample's rules, without running lanes."""
    engine = HintEngine.from_packed(packed(), KEYS)
    messaging = build(api, store).messaging
    return BroadcastDesk(store, messaging, SystemClock(), lambda: engine, None, lambda: "en")


async def test_each_line_says_how_that_client_can_be_reached(
    governed_api: GovernedApi, store: Store
) -> None:
    await fill(store)
    lines = await desk(governed_api, store).check(ALL, "Our office is closed on Monday.")
    assert {line.name: line.reach for line in lines} == {
        OPEN: Reach.FREE_TEXT,
        CLOSED: Reach.TEMPLATE,
        WALLED: Reach.NOT_ALLOWED,
        REFUSED: Reach.NO_CONSENT,
        NATIVE: Reach.FREE_TEXT,
    }
    assert [line.name for line in lines if line.sendable] == [OPEN]


async def test_a_block_on_the_text_holds_for_everybody(
    governed_api: GovernedApi, store: Store
) -> None:
    await fill(store)
    text = "Card 4111 1111 1111 1111"
    (line,) = await desk(governed_api, store).check([ConversationId(OPEN)], text)
    assert (line.decision.action, line.sendable) == (Action.BLOCK, False)


async def test_only_those_who_may_get_it_are_written_to_and_drafts_stay(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    await fill(store)
    await store.drafts.save(Draft(ConversationId(OPEN), "half a thought"))
    sending = build(governed_api, store)
    engine = HintEngine.from_packed(packed(), KEYS)
    broadcast = BroadcastDesk(
        store, sending.messaging, SystemClock(), lambda: engine, None, lambda: "en"
    )
    text = "We guarantee an answer by Monday."
    lines = await broadcast.check(ALL, text)
    async with running(sending):
        done: dict[ConversationId, MessageId] = {}
        for _ in range(2):  # the second time there is nobody left
            await broadcast.send(lines, text, Answers("Agreed with Compliance"), done)
        (sent,) = done.values()
        async with asyncio.timeout(60):
            while not world.submitted:
                await asyncio.sleep(0.005)
    (submitted,) = world.submitted
    assert (submitted.message_id, submitted.text) == (sent, text)
    assert submitted.several == len(lines) == 5
    assert submitted.justification == "Agreed with Compliance"
    assert submitted.hint is not None
    assert submitted.hint.decision_hash == lines[0].decision.decision_hash()
    kept = await store.drafts.get(ConversationId(OPEN))
    assert kept is not None
    assert kept.text == "half a thought"


async def test_who_is_asked_first_gets_nothing_before_they_accept(
    governed_api: GovernedApi, store: Store
) -> None:
    page = values.page(
        contacts=(person("asked", ConsentStatus.PENDING), person("agreed")),
        conversations=(talk("asked", consent_first=True), talk("agreed", consent_first=True)),
    )
    await store.cache.apply_snapshot_page(page, first=True)
    lines = await desk(governed_api, store).check(
        [ConversationId("asked"), ConversationId("agreed")], "Our office is closed on Monday."
    )
    assert {line.name: (line.reach, line.sendable) for line in lines} == {
        "asked": (Reach.NO_CONSENT, False),
        "agreed": (Reach.FREE_TEXT, True),
    }
