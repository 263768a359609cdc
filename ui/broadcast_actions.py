"""Carries out one text to several clients: opens the dialog, has it checked, sends.

It never decides who gets it: the core's broadcast desk does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from app.broadcast import MOST_PEOPLE, Answers, BroadcastLine
from app.domain.errors import AppError
from app.domain.inbox import InboxKey, InboxPage, InboxQuery
from contract.ids import ConversationId, MessageId
from contract.wire import Conversation, Mode
from ui.bridge.dialogs import ask
from ui.bridge.spawn import Spawner
from ui.models.broadcast_lines import ClientChat, matrix_rows, no_rules, summary_of
from ui.models.sendability import CHANNEL_NAMES
from ui.models.sentences import sentence_of
from ui.theme.tokens import Tokens
from ui.views.dialogs.broadcast_dialog import BroadcastDialog

PAGE_ROWS = 500
MOST_CHATS = 5_000

_log = logging.getLogger(__name__)


class Chats(Protocol):
    """Where the conversations to choose from come from."""

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None = None) -> InboxPage:
        """Return rows of the inbox list."""


class Broadcasting(Protocol):
    """What the dialog asks of the core."""

    async def check(
        self, conversation_ids: Sequence[ConversationId], text: str
    ) -> tuple[BroadcastLine, ...]:
        """Return a line for each client."""

    async def send(
        self,
        lines: Sequence[BroadcastLine],
        text: str,
        answers: Answers,
        sent: dict[ConversationId, MessageId],
    ) -> None:
        """Send it to those who may get it and are not in `sent`."""

    async def kept_text(self) -> str:
        """Return the text begun before."""

    async def keep_text(self, text: str) -> None:
        """Keep a text until it is sent."""


@dataclass(slots=True)
class _Begun:
    """What was begun and not finished: the chats ticked, and how far the sending came."""

    ticked: tuple[str, ...] = ()
    words: str = ""


class BroadcastActions:
    """One dialog at a time; `dialog` is it while it is open."""

    def __init__(
        self,
        chats: Chats,
        desk: Broadcasting,
        spawner: Spawner,
        window: Callable[[], QWidget],
        tokens: Callable[[], Tokens],
    ) -> None:
        self.dialog: BroadcastDialog | None = None
        self._chats = chats
        self._desk = desk
        self._spawner = spawner
        self._window = window
        self._tokens = tokens
        self._lines: tuple[BroadcastLine, ...] = ()
        self._begun = _Begun()
        self._unkept: str | None = None
        self._keeping = False

    def open(self) -> None:
        """Let the person choose clients and write to them."""
        if self.dialog is None:
            self._spawner.spawn(self._run(), "one text to several")

    async def _run(self) -> None:
        kept = await self._desk.kept_text() if self._unkept is None else self._unkept
        dialog = BroadcastDialog(await self._people(), self._tokens(), MOST_PEOPLE, self._window())
        self.dialog, self._lines = dialog, ()
        dialog.check_requested.connect(self._on_check)
        dialog.restore(kept, self._begun.ticked, self._begun.words)
        dialog.text_changed.connect(self._on_text)
        sent: dict[ConversationId, MessageId] = {}
        try:
            while await ask(dialog):
                if await self._send(dialog, sent):
                    await self._finish(len(sent))
                    return
            self._begun = self._left(dialog, sent)
        finally:
            self.dialog = None
            dialog.deleteLater()

    def _left(self, dialog: BroadcastDialog, sent: Mapping[ConversationId, MessageId]) -> _Begun:
        """Return what a closed dialog leaves for the next time: nobody is written to twice."""
        words = dialog.error.text() if sent else ""
        return _Begun(tuple(one for one in dialog.ticked() if one not in sent), words)

    async def _finish(self, count: int) -> None:
        self._begun = _Begun()
        self._on_text("")
        words = f"Sent to {count}, each in a chat of their own."
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window(), words))

    def _on_text(self, text: str) -> None:
        """Keep the text; while a store takes one, only the newest of the later ones waits."""
        self._unkept = text
        if not self._keeping:
            self._keeping = True
            self._spawner.spawn(self._keep(), "keep text for several")

    async def _keep(self) -> None:
        """Write until nothing newer came; what the store refuses stays in memory."""
        try:
            while (text := self._unkept) is not None:
                await self._desk.keep_text(text)
                if self._unkept == text:
                    self._unkept = None
        finally:
            self._keeping = False

    async def _people(self) -> list[ClientChat]:
        """Return the governed chats with one client each, newest first."""
        found: list[ClientChat] = []
        after: InboxKey | None = None
        while len(found) < MOST_CHATS:
            page = await self._chats.page(InboxQuery(), PAGE_ROWS, after)
            for row in page.rows:
                talk = row.conversation
                if not talk.group and talk.mode is Mode.GOVERNED:
                    found.append(_chat(talk))
            after = page.next_key
            if after is None:
                break
        return found

    def _on_check(self, number: int, ticked: list[str], text: str) -> None:
        self._spawner.spawn(self._check(number, ticked, text), "check for several")

    async def _check(self, number: int, ticked: list[str], text: str) -> None:
        ids = [ConversationId(one) for one in ticked]
        asked = bool(text.strip() and ids)
        lines = await self._desk.check(ids, text) if asked else ()
        summary = no_rules() if asked and not lines else summary_of(lines)
        dialog = self.dialog
        if dialog is not None and dialog.show_rows(number, matrix_rows(lines), summary):
            self._lines = lines

    async def _send(self, dialog: BroadcastDialog, sent: dict[ConversationId, MessageId]) -> bool:
        """Send; False when it failed, and the dialog says why and stays."""
        lines = self._lines
        answers = summary_of(lines).answers(dialog.reason_given())
        try:
            await self._desk.send(lines, dialog.text_to_send(), answers, sent)
        except AppError as fault:
            _log.warning("not sent to everybody: %s", fault.code)
            dialog.lock(
                f"{len(sent)} of {summary_of(lines).sendable} are sent. {sentence_of(fault)}"
            )
            return False
        return True


def _chat(talk: Conversation) -> ClientChat:
    return ClientChat(talk.conversation_id, talk.title, CHANNEL_NAMES[talk.channel])
