"""Tests of moving a draft to the client it belongs to. They never use a network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.domain.drafts import Draft
from app.domain.errors import DiskFull
from app.domain.timeline import TimelineRow
from contract.ids import AttachmentId, ContactId, ConversationId, MessageId
from contract.wire import Attachment, Contact, Conversation
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import StillClock, TimelineValues, composer_kit, conversation, hana, until
from tests.ui.sample_rows import NOW_UTC_MS
from ui.models.conversation_presenter import ConversationPresenter
from ui.models.timeline_presenter import TimelinePresenter

HOME, THERE = ConversationId("talk-1"), ConversationId("talk-2")


class Source:
    """Two conversations and their drafts; `fault` refuses the move."""

    def __init__(self, drafts: dict[str, Draft]) -> None:
        self.drafts = drafts
        self.fault: BaseException | None = None
        self.known = {HOME: conversation(1), THERE: conversation(2)}

    async def conversation(self, conversation_id: ConversationId) -> Conversation | None:
        return self.known.get(conversation_id)

    async def contact(self, contact_id: ContactId) -> Contact | None:
        return hana()

    async def draft(self, conversation_id: ConversationId) -> Draft | None:
        return self.drafts.get(conversation_id)

    async def draft_files(self, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        return ()

    async def move_draft(self, home: ConversationId, to: ConversationId, now_utc_ms: int) -> None:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.drafts[to] = Draft(to, self.drafts.pop(home).text, saved_at_utc_ms=now_utc_ms)

    async def message(self, message_id: MessageId) -> TimelineRow | None:
        return None

    async def on_screen(self, conversation_id: ConversationId | None) -> None: ...

    async def mark_read(self, conversation_id: ConversationId, upto_utc_ms: int | None) -> None: ...


class Stage(QObject):
    """A composer with a conversation presenter over values."""

    def __init__(self) -> None:
        super().__init__()
        self.kit = composer_kit()
        self.source = Source(self.kit.outgoing.drafts)
        spawner = self.kit.spawner
        timeline = TimelinePresenter(TimelineValues(), StillClock(), spawner.spawn, self)
        self.presenter = ConversationPresenter(
            self.source, timeline, self.kit.presenter, spawner, lambda: False, self
        )
        self.opened: list[str] = []
        self.presenter.draft_moved.connect(self.opened.append)

    async def open(self, text: str) -> None:
        self.presenter.open(HOME)
        await until(lambda: self.kit.presenter.conversation_id == HOME)
        self.kit.view.edit.setPlainText(text)


def test_a_moved_draft_stands_where_it_belongs_and_nowhere_else(qapp: QApplication) -> None:
    async def work() -> None:
        stage = Stage()
        await stage.open("Dear Mr Feld")
        stage.presenter.move_draft(THERE, NOW_UTC_MS)
        await until(lambda: stage.opened == [THERE])
        assert set(stage.source.drafts) == {THERE}
        stage.presenter.open(THERE)
        await until(lambda: stage.kit.view.edit.toPlainText() == "Dear Mr Feld")
        await stage.kit.close()

    run_in_qt_loop(qapp, work())


def test_a_draft_that_could_not_be_moved_stays_and_says_so(
    qapp: QApplication, expect_log: LogGuard
) -> None:
    expect_log("move draft ended with", logger="ui.bridge.spawn")

    async def work() -> None:
        stage = Stage()
        await stage.open("Dear Mr Feld")
        stage.source.fault = DiskFull()
        stage.presenter.move_draft(THERE, NOW_UTC_MS)
        await until(lambda: "move draft:disk_full" in stage.kit.faults)
        assert stage.kit.view.edit.toPlainText() == "Dear Mr Feld"
        assert "still here" in stage.kit.presenter.state().fault and stage.opened == []
        await stage.kit.close()

    run_in_qt_loop(qapp, work())


def test_a_draft_never_leaves_for_a_conversation_that_is_gone(qapp: QApplication) -> None:
    async def work() -> None:
        stage = Stage()
        await stage.open("Dear Mr Feld")
        del stage.source.known[THERE]
        stage.presenter.move_draft(THERE, NOW_UTC_MS)
        await until(lambda: "no longer yours" in stage.kit.presenter.state().fault)
        assert stage.kit.view.edit.toPlainText() == "Dear Mr Feld"
        assert set(stage.source.drafts) == {HOME}
        await stage.kit.close()

    run_in_qt_loop(qapp, work())
