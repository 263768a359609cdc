"""Passes what sync learns to the board, the lanes, the archive's watch and the window.

It never decides anything about what it passes on.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.errors import AppError
from app.domain.status import Link
from app.sync.status_board import StatusBoard
from contract.events import Erased, Sealed
from contract.ids import ConversationId


class Inbound:
    """The listener of the inbound loop.

    `line_up` is called when the line came up, `latency_ms` tells its last round trip.
    """

    def __init__(
        self,
        board: StatusBoard,
        latency_ms: Callable[[], float],
        line_up: Callable[[], None],
        typing: Callable[[ConversationId, bool], None],
        take_news: Callable[[Sealed | Erased], None],
        facts_seen: Callable[[ConversationId, int], None],
        approvals_changed: Callable[[int], None],
        triage_changed: Callable[[int], None],
    ) -> None:
        self._board = board
        self._latency_ms = latency_ms
        self._line_up = line_up
        self._typing = typing
        self._take_news = take_news
        self._facts_seen = facts_seen
        self._approvals_changed = approvals_changed
        self._triage_changed = triage_changed

    def link_changed(self, link: Link, fault: AppError | None) -> None:
        """Show the line's state; once it is up, everything that waited goes on."""
        was = self._board.status.link
        self._board.link_changed(link, fault)
        self._board.update(latency_ms=self._latency_ms())
        if link is Link.ONLINE and was is not Link.ONLINE:
            self._line_up()

    def sync_progressed(
        self, syncing: bool, applied: int, total: int, paused: bool = False
    ) -> None:
        """Show how far a first sync came, and whether it stands still."""
        self._board.update(
            syncing=syncing, synced_messages=applied, total_messages=total, sync_paused=paused
        )

    def client_typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """Tell the window who types."""
        self._typing(conversation_id, typing)

    def archived_at(self, at_utc_ms: int) -> None:
        """Show when the archive last took something."""
        self._board.archived_at(at_utc_ms)

    def facts_seen(self, conversation_id: ConversationId, version: int) -> None:
        """Have the book's account hashes looked at again when a conversation's facts changed."""
        self._facts_seen(conversation_id, version)

    def approvals_changed(self, pending: int) -> None:
        """Tell the supervisor's desk that its queue changed."""
        self._approvals_changed(pending)

    def triage_changed(self, pending: int) -> None:
        """Tell the desk of unknown senders that its queue changed."""
        self._triage_changed(pending)

    def sealed(self, seal: Sealed) -> None:
        """Hand the receipt of a late seal to the archive's watch."""
        self._take_news(seal)

    def erased(self, erased: Erased) -> None:
        """Let nothing of an erased message wait for its receipt any longer."""
        self._take_news(erased)
