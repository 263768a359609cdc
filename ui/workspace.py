"""Owns one open workspace: the core's presenters and the window they feed, wired together.

It never opens or closes the core, draws nothing itself, and imports what the first painted frame
does without (ui.workspace_rest) only after it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core import Core
from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.errors import AppError
from app.domain.first_frame import FirstFrame
from app.domain.status import CoreStatus, Link
from app.settings.keys import Key
from app.settings.settings import Settings
from contract.ids import ConversationId, EmployeeId, MessageId
from ui.bridge.signals import CoreSignals
from ui.bridge.spawn import Spawner
from ui.late_store import LateChecks, LateInbox, LateMessaging, LateTimeline
from ui.look import Look
from ui.models.composer_presenter import ComposerPresenter
from ui.models.conversation_facts import ConversationFacts, last_archived_utc_ms
from ui.models.conversation_presenter import ConversationPresenter
from ui.models.draft_policy import PolicyChecks
from ui.models.draft_saver import SAVE_DRAFT
from ui.models.figures import Figures
from ui.models.inbox_presenter import InboxPresenter
from ui.models.sentences import sentence_of
from ui.models.status_words import status_words
from ui.models.timeline_presenter import TimelinePresenter
from ui.shown_sends import ShownSends
from ui.views.main_window import MainWindow, WindowParts
from ui.views.rail import Page
from ui.window_state import WindowState
from ui.workspace_banners import FAULT, WorkspaceBanners
from ui.workspace_source import WorkspaceSource

if TYPE_CHECKING:
    from ui.conversation_actions import ConversationActions
    from ui.models.approvals_presenter import ApprovalsPresenter
    from ui.models.diagnostics_presenter import DiagnosticsPresenter
    from ui.models.find_presenter import FindPresenter
    from ui.models.people_model import PeopleModel
    from ui.models.search_presenter import SearchPresenter
    from ui.models.storage_presenter import StoragePresenter
    from ui.models.triage_presenter import TriagePresenter
    from ui.preferences import Preferences
    from ui.send_figures import SendFigures
    from ui.waiting_actions import WaitingActions
    from ui.window_actions import WindowActions

_log = logging.getLogger(__name__)
_MINUTE_MS = 60_000


class Workspace(QObject):
    """`closing` is emitted when the user closes the window; the program then ends it.

    `ended` is emitted while it closes; `page_shown` carries the page that came to the front.

    `search`, `find`, `people`, `diagnostics`, `send_figures`, `preferences`, `on_conversation`,
    `approvals`, `triage` and `actions` are there once it has started.
    """

    closing = Signal()
    ended = Signal()
    page_shown = Signal(object)
    search: SearchPresenter
    find: FindPresenter
    people: PeopleModel
    diagnostics: DiagnosticsPresenter
    storage: StoragePresenter
    send_figures: SendFigures
    preferences: Preferences
    on_conversation: ConversationActions
    approvals: WaitingActions[ApprovalsPresenter]
    triage: WaitingActions[TriagePresenter]
    actions: WindowActions

    def __init__(
        self,
        core: Core,
        clock: Clock,
        look: Look,
        state: WindowState,
        version: str,
        reload_settings: Callable[[], Settings] | None = None,
        *,
        before_loop: bool = False,
    ) -> None:
        """`reload_settings` replaces reading this system's settings after a change.

        `before_loop` tells that no loop runs yet: what presenters ask waits for `start_late`.
        """
        super().__init__()
        self.core = core
        self.clock = clock
        self.look = look
        self.state = state
        self.reload_settings = reload_settings or (lambda: Settings.load(core.paths.config_dir))
        self._policy: tuple[str, int] = ("", 0)
        self._leaves_anyway = False
        # What would be cut short by closing now, in a sentence; the next wish to close is taken.
        self.leaving_words: Callable[[], str] = lambda: ""
        self.signals = CoreSignals(self)
        self.spawner = Spawner(self._on_failed, held=before_loop)
        self.source = WorkspaceSource(core)
        self.figures = Figures()
        self._build_presenters()
        self.window = MainWindow(
            WindowParts(self.inbox, self.timeline, self.composer, None, None, version), look.tokens
        )
        self.window.composer.set_enter_sends(core.settings.flag(Key.ENTER_SENDS))
        self.banners = WorkspaceBanners(lambda: core.status, self.window.banners, clock.now_utc_ms)
        self._connect()

    def show_first(self, frame: FirstFrame) -> None:
        """Show what was kept for a start, before the store is open; `start_late` follows."""
        self.state.restore(self.window)
        self.inbox.show_first(frame.rows, frame.counts)
        self._show_me(frame.me_id, frame.me_name, frame.me_initials)
        if frame.opened is not None:
            self.conversation.show_first(frame.opened)
            self.window.inbox.select_conversation(frame.opened.conversation.conversation_id)
        self._on_status(self.core.status)
        self.window.show()
        if frame.opened is not None:
            self.window.composer.edit.setFocus()
        else:
            self.window.inbox.focus_list()

    def start(self) -> None:
        """Begin to read and show; call once the core's store is open."""
        from ui.workspace_rest import complete

        self.spawner.release()
        for _ in complete(self):
            pass
        self._begin()
        self.state.restore(self.window)
        self.spawner.spawn(self._reopen(), "open the last conversation")
        self.window.show()
        self.window.inbox.focus_list()

    async def start_late(self) -> None:
        """Take the open store's word on what `show_first` showed, and offer all the rest."""
        from asyncio import sleep, to_thread
        from importlib import import_module

        self._begin()
        if self.conversation.conversation_id is None:
            self.spawner.spawn(self._reopen(), "open the last conversation")
        self.conversation.confirm()
        rest = await to_thread(import_module, "ui.workspace_rest")
        for _ in rest.complete(self):
            await sleep(0)

    async def close(self) -> None:
        """Save drafts and geometry, stop every presenter; the core is still open afterwards."""
        self.state.save(self.window)
        try:
            await self.composer.flush()
        except AppError as fault:
            _log.error("drafts could not be saved: %s", fault.code)
        self._minute.stop()
        self.inbox.stop()
        self.timeline.close()
        self.look.follow(None)
        self.ended.emit()
        self.signals.detach()
        await self.spawner.close()
        self.window.hide()
        self.window.deleteLater()

    def open_conversation(
        self, conversation_id: ConversationId, anchor: MessageId | None = None
    ) -> None:
        """Bring a conversation to the front, at `anchor` when given."""
        self.window.show_page(Page.INBOX)
        self.window.inbox.select_conversation(conversation_id)
        self.conversation.open(conversation_id, anchor)

    def show_page(self, page: Page) -> None:
        """Bring a page to the front."""
        self.window.show_page(page)
        shown = self.window.page()
        self.page_shown.emit(shown)
        if shown is Page.INBOX:
            self.window.timeline.look_again()

    def retry(self) -> None:
        """Try at once what could not be saved or sent."""
        self._leaves_anyway = False
        self.banners.dismiss(FAULT)
        if self.core.is_open:
            self.core.messaging.retry_now()
        self.spawner.spawn(self.composer.flush(), SAVE_DRAFT)

    def show_alarm(self) -> None:
        """Show what is behind the archive's alarm, while it stands."""
        alarm = self.core.status.archive_alarm
        if alarm is not None:
            self.on_conversation.receipts.show_alarm(alarm)

    def _build_presenters(self) -> None:
        spawn, clock, core = self.spawner.spawn, self.clock, self.core
        checks = LateChecks(core)
        self.inbox = InboxPresenter(LateInbox(core), clock, spawn, self)
        self.timeline = TimelinePresenter(LateTimeline(core), clock, spawn, self)
        self.composer = ComposerPresenter(
            LateMessaging(core, ShownSends(self.timeline).shown),
            PolicyChecks(checks.decide, checks.decide_later, checks.language),
            self.spawner,
            clock.now_utc_ms,
            self,
        )
        self.conversation = ConversationPresenter(
            self.source, self.timeline, self.composer, self.spawner, self._is_looked_at, self
        )
        self._minute = QTimer(self)
        self._minute.setInterval(_MINUTE_MS)

    def _connect(self) -> None:
        signals, window = self.signals, self.window
        signals.changed.connect(self._on_changed)
        signals.status_changed.connect(self._on_status)
        signals.typing_changed.connect(self._on_typing)
        self.inbox.counts_changed.connect(lambda counts: window.rail.show_unread(counts.unread))
        window.inbox.conversation_selected.connect(self._on_selected)
        window.inbox.conversation_activated.connect(self._on_activated)
        self.conversation.facts_changed.connect(self._on_facts)
        self.timeline.window_changed.connect(self._show_details)
        self.conversation.draft_moved.connect(self._on_activated)
        window.rail.page_chosen.connect(lambda page: self.show_page(Page(page)))
        window.header.mark_read_requested.connect(self.conversation.mark_read)
        window.activated.connect(window.timeline.look_again)
        window.timeline.seen.connect(self.conversation.on_seen)
        window.closing.connect(self._on_closing)
        self.look.follow(window.set_tokens)
        self._minute.timeout.connect(self._on_minute)

    def _begin(self) -> None:
        self.signals.attach(self.core)
        self.inbox.start()
        self._minute.start()
        self._on_status(self.core.status)

    def _is_looked_at(self) -> bool:
        return self.window.isActiveWindow() and self.window.page() is Page.INBOX

    async def _reopen(self) -> None:
        """Open what was open last, unless it is gone or the user was quicker."""
        last = self.state.conversation()
        if last is None or await self.source.conversation(last) is None:
            return
        if self.conversation.conversation_id is None:
            self.window.inbox.select_conversation(last)
            self.conversation.open(last)

    async def _leave(self) -> None:
        try:
            await self.composer.flush()
        except AppError as fault:
            # What is typed stays on screen; the second wish to close is taken as it is.
            self._leaves_anyway = True
            words = f"{sentence_of(fault)} Your draft is not saved yet. Close again to leave."
            self.banners.tell_fault(words)
            return
        if words := self.leaving_words():
            self._leaves_anyway = True
            self.banners.tell_fault(words)
            return
        self.closing.emit()

    # -- what happens ------------------------------------------------------------------------

    def _on_changed(self, changes: ChangeSet) -> None:
        # One thread reads for both: the conversation that is looked at goes first.
        self.timeline.on_changed(changes)
        self.inbox.on_changed(changes)
        self.conversation.on_changed(changes)

    def _on_status(self, status: CoreStatus) -> None:
        self.banners.show()
        self.window.status_line.show_words(status_words(status))
        paused = status.archive_alarm is not None
        self.timeline.model.set_online(status.link is Link.ONLINE, paused=paused)
        me = self.core.me
        if me is not None:
            self._show_me(me.employee_id, me.display_name, me.initials)
        if (status.policy_version, status.facts_version) != self._policy:
            self._policy = (status.policy_version, status.facts_version)
            self.composer.evaluate()
        self._show_details()

    def _show_me(self, employee_id: EmployeeId, name: str, initials: str) -> None:
        if employee_id:
            self.window.rail.show_person(name, initials)
            self.timeline.set_me(employee_id, name)

    def _on_typing(self, conversation_id: str, typing: bool) -> None:
        if conversation_id == self.conversation.conversation_id:
            self.window.header.show_typing(typing)

    def _on_facts(self, facts: ConversationFacts | None) -> None:
        self.window.show_conversation(facts)
        shown = facts.conversation.conversation_id if facts else None
        self.state.set_conversation(shown)
        self._show_details()

    def _show_details(self) -> None:
        newest = not self.timeline.has_newer
        items = self.timeline.model.rows() if newest else ()
        archived = last_archived_utc_ms(item.row for item in items if item.row is not None)
        now = self.clock.now_utc_ms()
        verified = self.core.status.archive_verified_utc_ms
        facts, me = self.conversation.facts, self.core.me
        home = None if facts is None else facts.conversation.account_id
        accounts = () if me is None else me.accounts
        account = next((one for one in accounts if one.account_id == home), None)
        self.window.details.show_facts(facts, archived, now, verified, account)

    def _on_minute(self) -> None:
        self.banners.show()
        self.composer.evaluate()
        self._show_details()

    def _on_selected(self, conversation_id: str) -> None:
        self.conversation.open(ConversationId(conversation_id))

    def _on_activated(self, conversation_id: str) -> None:
        self.open_conversation(ConversationId(conversation_id))
        self.window.composer.edit.setFocus()

    def _on_closing(self) -> None:
        if self._leaves_anyway:
            self.closing.emit()
        else:
            self.spawner.spawn(self._leave(), "close")

    def _on_failed(self, name: str, fault: AppError) -> None:
        # The composer says by itself why a send did not succeed; to who wished to leave it says
        # already that the draft is not saved, and how to leave all the same.
        leaving = name == SAVE_DRAFT and self._leaves_anyway and self.banners.tells_fault
        if name != "send" and not leaving:
            self.banners.tell_fault(sentence_of(fault))
