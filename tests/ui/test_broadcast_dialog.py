"""The dialogs for one text to several clients and for approved templates, over a real store.

They never deliver anything: what was sent stands in the outbox of the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from app.broadcast import Answers, BroadcastDesk, BroadcastLine
from app.domain.clock import SystemClock
from app.domain.drafts import CheckedDraft, Draft
from app.domain.errors import DiskFull
from app.hints.engine import HintEngine
from app.outbox.messaging import Messaging
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract.ids import ConversationId, MessageId
from contract.policy.model import Decision
from contract.supervision import Template
from contract.wire import Channel, Conversation
from tests.app.hints.test_engine import KEYS, packed
from tests.app.outbox.conftest import build
from tests.app.store import values
from tests.app.test_broadcast import ALL, CLOSED, OPEN, fill, person, talk
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.bridge.spawn import Spawner
from ui.broadcast_actions import BroadcastActions
from ui.template_actions import TemplateActions
from ui.theme.tokens import LIGHT
from ui.views.dialogs.broadcast_dialog import BroadcastDialog
from ui.views.dialogs.reach_table import VERDICT_COLUMN

OPEN_ID, SECOND_ID = ConversationId(OPEN), ConversationId("second")
TEMPLATE = Template(
    template_id="t-1",
    channel=Channel.WHATSAPP,
    language="en",
    name="Appointment",
    body="Dear {{1}}, shall we speak on {{2}}?",
    parameters=2,
)
OTHER = Template(
    template_id="t-2", channel=Channel.WHATSAPP, language="de", name="Gruss", body="Guten Tag"
)


@dataclass
class World:
    """The parts under the dialogs."""

    store: Store
    messaging: Messaging
    engine: HintEngine
    spawner: Spawner
    window: QWidget


@asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """Open a store with chats; whatever is asked of the network finds none."""
    store = await values.open_at(folder)
    transport = Transport(
        BackendEndpoint(url="http://127.0.0.1:9", token="none"), client_version="0.1.0"
    )
    spawner, window = Spawner(lambda name, fault: None), QWidget()
    try:
        await fill(store)
        messaging = build(GovernedApi(transport), store).messaging
        engine = HintEngine.from_packed(packed(), KEYS)
        yield World(store, messaging, engine, spawner, window)
    finally:
        await spawner.close()
        await transport.close()
        await store.close()
        window.deleteLater()


def run(qapp: QApplication, folder: Path, work: Callable[[World], Awaitable[None]]) -> None:
    """Run a test's body on the product's own loop."""

    async def whole() -> None:
        async with world_in(folder) as world:
            await work(world)

    run_in_qt_loop(qapp, whole())


def tick(dialog: BroadcastDialog, *names: str) -> None:
    """Tick the clients whose line begins with a name."""
    for number in range(dialog.people.count()):
        item = dialog.people.item(number)
        if item.text().startswith(tuple(f"Title of {name}" for name in names)):
            item.setCheckState(Qt.CheckState.Checked)


def test_the_matrix_stands_before_sending_and_only_those_named_get_it(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work(world: World) -> None:
        actions = several(world)
        dialog = await opened(actions)
        assert dialog.people.count() == 4  # no group, no native chat
        assert not dialog.send.isEnabled()
        tick(dialog, OPEN, CLOSED)
        dialog.edit.setPlainText("We guarantee an answer by Monday.")
        assert dialog.send.accessibleDescription() == "Checking…"
        await until(lambda: dialog.table.rowCount() == 2)
        verdicts = {_cell(dialog, row, VERDICT_COLUMN) for row in range(2)}
        assert verdicts == {"Template only", "Needs a reason"}
        assert dialog.foot.text().startswith("1 of 2 get it")
        assert not dialog.send.isEnabled()
        dialog.reason.setText("Agreed with Compliance today")
        assert (dialog.send.isEnabled(), dialog.send.text()) == (True, "Send to 1")
        dialog.send.click()
        await until(lambda: actions.dialog is None)
        (entry,) = await world.store.outbox.list_waiting(ConversationId(OPEN))
        assert (entry.several, entry.justification) == (2, "Agreed with Compliance today")
        for other in ALL[1:]:
            assert await world.store.outbox.list_waiting(other) == ()

    run(qapp, tmp_path, work)


def several(world: World, kind: type[BroadcastDesk] = BroadcastDesk) -> BroadcastActions:
    """Return the actions as a start of Parley makes them."""
    desk = kind(
        world.store,
        world.messaging,
        SystemClock(),
        lambda: world.engine,
        None,
        lambda: "en",
    )
    return BroadcastActions(
        world.store.inbox, desk, world.spawner, lambda: world.window, lambda: LIGHT
    )


async def opened(actions: BroadcastActions) -> BroadcastDialog:
    """Return the dialog once it is there."""
    actions.open()
    await until(lambda: actions.dialog is not None)
    assert actions.dialog is not None
    return actions.dialog


async def closed(actions: BroadcastActions) -> None:
    """Close the dialog as Escape does."""
    assert actions.dialog is not None
    actions.dialog.reject()
    await until(lambda: actions.dialog is None)


def test_a_text_closed_by_mistake_is_there_the_next_time_and_after_a_restart(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work(world: World) -> None:
        actions = several(world)
        dialog = await opened(actions)
        dialog.edit.setPlainText("Dear all")
        tick(dialog, OPEN)
        await closed(actions)
        dialog = await opened(actions)
        assert (dialog.text_to_send(), dialog.ticked()) == ("Dear all", [OPEN])
        await closed(actions)
        await until_kept(world, "Dear all")
        again = several(world)
        dialog = await opened(again)
        assert (dialog.text_to_send(), dialog.ticked()) == ("Dear all", [])
        tick(dialog, OPEN)
        await until(dialog.send.isEnabled)
        dialog.send.click()
        await until(lambda: again.dialog is None)
        await until_kept(world, "")

    run(qapp, tmp_path, work)


async def until_kept(world: World, text: str) -> None:
    """Wait until a later start would find that text."""
    desk = BroadcastDesk(
        world.store, world.messaging, SystemClock(), lambda: None, None, lambda: "en"
    )
    while await desk.kept_text() != text:
        await asyncio.sleep(0.01)


class HaltingDesk(BroadcastDesk):
    """A desk whose connection to the store breaks after the first message."""

    async def send(
        self,
        lines: Sequence[BroadcastLine],
        text: str,
        answers: Answers,
        sent: dict[ConversationId, MessageId],
    ) -> None:
        """Send the first message alone."""
        await super().send([line for line in lines if line.sendable][:1], text, answers, sent)
        raise DiskFull("no room")


def test_what_went_to_some_only_is_never_sent_to_them_again(
    qapp: QApplication, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log("not sent to everybody")

    async def work(world: World) -> None:
        now = SystemClock().now_utc_ms()
        page = values.page(
            contacts=(person(OPEN), person("second")),
            conversations=tuple(
                talk(name, window_closes_at_utc_ms=now + 3_600_000) for name in (OPEN, "second")
            ),
        )
        await world.store.cache.apply_snapshot_page(page, first=True)
        actions = several(world, HaltingDesk)
        dialog = await opened(actions)
        tick(dialog, OPEN, "second")
        dialog.edit.setPlainText("Our office is closed on Monday.")
        await until(dialog.send.isEnabled)
        dialog.send.click()
        await until(lambda: dialog.error.text().startswith("1 of 2 are sent."))
        await closed(actions)
        dialog = await opened(actions)
        assert dialog.error.text().startswith("1 of 2 are sent.")
        (left,) = dialog.ticked()
        waiting = [await world.store.outbox.list_waiting(one) for one in (OPEN_ID, SECOND_ID)]
        assert [len(one) for one in waiting] == [int(left != OPEN), int(left == OPEN)]
        await closed(actions)

    run(qapp, tmp_path, work)


class Shelf:
    """Templates as the core hands them out."""

    async def refresh(self) -> bool:
        """Say that they are fresh."""
        return True

    def of_channel(self, channel: Channel, language: str) -> tuple[Template, ...]:
        """Return those of WhatsApp."""
        return (TEMPLATE, OTHER) if channel is Channel.WHATSAPP else ()


@pytest.mark.parametrize(("value", "found"), [("Monday", ""), ("card 4111 1111 1111 1111", "card")])
def test_a_filled_template_is_checked_and_sent_beside_the_draft(
    qapp: QApplication, tmp_path: Path, value: str, found: str
) -> None:
    async def work(world: World) -> None:
        talk = await world.store.inbox.conversation(ConversationId(CLOSED))
        assert talk is not None
        await world.store.drafts.save(Draft(talk.conversation_id, "half a thought"))

        def decide(draft: CheckedDraft) -> Decision:
            result = world.engine.check(talk, (), draft.text, 0, template_id=draft.template_id)
            return result.decision

        actions = TemplateActions(
            Shelf(),
            world.messaging,
            decide,
            _english,
            world.spawner,
            lambda: world.window,
            lambda: LIGHT,
        )
        actions.open(talk)
        await until(lambda: actions.dialog is not None)
        dialog = actions.dialog
        assert dialog is not None
        assert not dialog.use.isEnabled()
        name, day = dialog.value_fields()
        name.setText("Hana")
        day.setText(value)
        assert dialog.use.isEnabled()
        dialog.use.click()
        if found:
            await until(lambda: found in dialog.error.text())
            assert await world.store.outbox.list_waiting(talk.conversation_id) == ()
            dialog.reject()
        else:
            await until(lambda: actions.dialog is None)
            (entry,) = await world.store.outbox.list_waiting(talk.conversation_id)
            assert (entry.template_id, entry.text) == (
                "t-1",
                "Dear Hana, shall we speak on Monday?",
            )
        kept = await world.store.drafts.get(talk.conversation_id)
        assert kept is not None
        assert kept.text == "half a thought"

    run(qapp, tmp_path, work)


def test_values_typed_into_a_template_are_there_again_for_that_client_alone(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work(world: World) -> None:
        actions = TemplateActions(
            Shelf(),
            world.messaging,
            lambda draft: None,
            _english,
            world.spawner,
            lambda: world.window,
            lambda: LIGHT,
        )
        for name, wanted in ((CLOSED, ""), (CLOSED, "Hana"), (OPEN, "")):
            talk = await world.store.inbox.conversation(ConversationId(name))
            assert talk is not None
            actions.open(talk)
            await until(lambda: actions.dialog is not None)
            assert actions.dialog is not None
            field = actions.dialog.value_fields()[0]
            assert field.text() == wanted
            field.setText("Hana")
            actions.dialog.reject()
            await until(lambda: actions.dialog is None)

    run(qapp, tmp_path, work)


async def _english(conversation: Conversation) -> str:
    await asyncio.sleep(0)
    return "en"


def _cell(dialog: BroadcastDialog, row: int, column: int) -> str:
    item = dialog.table.item(row, column)
    assert item is not None
    return item.text()
