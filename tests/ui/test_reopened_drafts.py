"""Tests of a draft whose conversation is left and opened again. They never use a network."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication

from app.domain.drafts import Draft
from contract.ids import ConversationId, MessageId
from contract.wire import Conversation
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from tests.ui.test_moving_drafts import HOME, THERE, Source, Stage
from ui.models import draft_saver


class SlowSource(Source):
    """Tells of a conversation only once `gate` is open; `read` tells that its draft was read."""

    def __init__(self, drafts: dict[str, Draft]) -> None:
        super().__init__(drafts)
        self.gate, self.read = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def conversation(self, conversation_id: ConversationId) -> Conversation | None:
        await self.gate.wait()
        return await super().conversation(conversation_id)

    async def draft(self, conversation_id: ConversationId) -> Draft | None:
        held = await super().draft(conversation_id)
        self.read.set()
        return held


async def _reopen(stage: Stage, source: SlowSource) -> None:
    """Leave the first conversation and open it again, as far as its draft has been read."""
    stage.presenter.open(THERE)
    await until(lambda: stage.kit.presenter.conversation_id == THERE)
    source.gate.clear()
    source.read.clear()
    stage.presenter.open(HOME)
    await source.read.wait()


def _slow(stage: Stage) -> SlowSource:
    source = SlowSource(stage.kit.outgoing.drafts)
    stage.source = stage.presenter._source = source
    return source


def test_a_draft_that_is_saved_while_its_conversation_opens_again_is_shown(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_saver, "SAVE_AFTER_MS", 60_000)  # not before it is read

    async def work() -> None:
        stage = Stage()
        source = _slow(stage)
        await stage.open("sell ")
        await _reopen(stage, source)
        assert HOME not in source.drafts
        await stage.kit.presenter.flush()
        assert source.drafts[HOME].text == "sell "
        source.gate.set()
        await until(lambda: stage.kit.presenter.conversation_id == HOME)
        assert stage.kit.view.edit.toPlainText() == "sell "
        await stage.kit.close()

    run_in_qt_loop(qapp, work())


def test_a_draft_that_is_sent_while_its_conversation_opens_again_is_not_shown(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        stage = Stage()
        source = _slow(stage)
        await stage.open("buy")
        await stage.kit.presenter.flush()
        stage.kit.outgoing.gate = asyncio.Event()
        assert stage.kit.presenter.submit()
        sent: list[MessageId] = []
        stage.kit.presenter.sent.connect(sent.append)
        await _reopen(stage, source)
        assert source.drafts[HOME].text == "buy"
        stage.kit.outgoing.gate.set()
        await until(lambda: bool(sent))
        source.gate.set()
        await until(lambda: stage.kit.presenter.conversation_id == HOME)
        assert stage.kit.view.edit.toPlainText() == ""
        await stage.kit.close()

    run_in_qt_loop(qapp, work())
