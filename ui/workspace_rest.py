"""Builds what a workspace's first painted frame does without: pages, search, actions, shortcuts.

It never shows anything by itself; each step takes a few milliseconds of the window's thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.domain.changes import ChangeSet
from contract.ids import ConversationId
from ui.conversation_actions import ConversationActions
from ui.models.conversation_facts import ConversationFacts
from ui.models.diagnostics_presenter import DiagnosticsPresenter
from ui.models.find_presenter import FindPresenter
from ui.models.people_model import PeopleModel
from ui.models.search_presenter import SearchPresenter
from ui.models.storage_presenter import StoragePresenter
from ui.preferences import Preferences
from ui.send_figures import SendFigures
from ui.sender_linking import SenderLinking
from ui.views.rail import Page
from ui.waiting_actions import approval_actions, triage_actions
from ui.window_actions import WindowActions

if TYPE_CHECKING:
    from ui.workspace import Workspace

RECENT_ROWS = 5
_ASK_AGAIN_MS = 1_000


def complete(workspace: Workspace) -> Iterator[None]:
    """Build the rest of `workspace`, whose core is open, one step at a time."""
    _build_presenters(workspace)
    yield
    yield from workspace.window.complete(workspace.search, workspace.people)
    core, window = workspace.core, workspace.window
    workspace.preferences = Preferences(
        core, workspace.look, workspace.state, window, workspace.reload_settings
    )
    workspace.preferences.show()
    workspace.on_conversation = ConversationActions(workspace)
    yield
    workspace.approvals = approval_actions(
        core.approvals, window, workspace.spawner, workspace.clock.now_utc_ms, workspace
    )
    workspace.triage = triage_actions(
        core.triage, window, workspace.spawner, workspace.clock.now_utc_ms, workspace
    )
    yield
    workspace.actions = WindowActions(workspace)
    _connect(workspace)


def _build_presenters(workspace: Workspace) -> None:
    core, spawner, clock = workspace.core, workspace.spawner, workspace.clock
    workspace.search = SearchPresenter(core.rooms.search, spawner, clock.now_utc_ms, workspace)
    workspace.search.elapsed_ms = workspace.figures.search_ms
    workspace.search.set_recent(
        lambda: [row.conversation for row in workspace.inbox.model.rows()[:RECENT_ROWS]]
    )
    workspace.find = FindPresenter(core.rooms.search, spawner, workspace)
    workspace.people = PeopleModel(workspace)
    workspace.diagnostics = DiagnosticsPresenter(
        workspace.source.checks,
        workspace.source.settings_account,
        workspace.figures,
        spawner,
        workspace,
    )
    workspace.storage = StoragePresenter(core.rooms.upkeep, spawner, workspace)
    workspace.send_figures = SendFigures(workspace.source, workspace.figures, spawner, clock)


def _connect(workspace: Workspace) -> None:
    window, signals = workspace.window, workspace.signals
    window.inbox.search_requested.connect(window.palette_view.open)
    window.palette_view.covering.connect(signals.set_covered)
    signals.changed.connect(lambda _changes: window.palette_view.on_covered_changed())
    window.status_line.diagnostics_requested.connect(lambda: workspace.show_page(Page.DIAGNOSTICS))
    workspace.composer.sent.connect(workspace.send_figures.on_sent)
    signals.changed.connect(workspace.send_figures.on_changed)
    workspace.timeline.start_reached.connect(_OlderWish(workspace).on_start_reached)
    for queue in (workspace.approvals, workspace.triage):
        signals.status_changed.connect(queue.on_status)
        queue.on_status(workspace.core.status)
        workspace.ended.connect(queue.close)
    SenderLinking(
        workspace.triage.presenter,
        window.triage,
        workspace.spawner,
        lambda: workspace.look.tokens,
        workspace,
    )
    workspace.triage.presenter.claimed.connect(
        lambda home: workspace.open_conversation(ConversationId(home))
    )
    workspace.conversation.facts_changed.connect(lambda facts: _on_facts(workspace, facts))
    _on_facts(workspace, workspace.conversation.facts)
    _connect_pages(workspace)


def _connect_pages(workspace: Workspace) -> None:
    page, presenter = workspace.window.diagnostics, workspace.diagnostics
    page.run_requested.connect(presenter.run)
    presenter.results_changed.connect(page.show_results)
    presenter.settings_read.connect(page.show_settings)
    presenter.running_changed.connect(page.show_running)
    presenter.figures_changed.connect(page.show_figures)
    storage, card = workspace.storage, workspace.window.settings.storage
    storage.state_changed.connect(card.show_state)
    storage.use_changed.connect(card.show_use)
    card.job_requested.connect(storage.start)
    card.cancel_requested.connect(storage.cancel)
    workspace.ended.connect(storage.close)
    book = _Book(workspace)
    workspace.signals.changed.connect(book.on_changed)

    def on_page(shown: Page) -> None:
        presenter.set_shown(shown is Page.DIAGNOSTICS)
        storage.set_shown(shown is Page.SETTINGS)
        if shown is Page.APPROVALS:
            workspace.approvals.on_shown()
        if shown is Page.TRIAGE:
            workspace.triage.on_shown()
        if shown is Page.PEOPLE:
            book.on_shown()
            workspace.window.people.focus_field()

    workspace.page_shown.connect(on_page)


def _on_facts(workspace: Workspace, facts: ConversationFacts | None) -> None:
    workspace.window.find_bar.close_bar()
    workspace.find.set_conversation(facts.conversation.conversation_id if facts else None)


class _OlderWish:
    """Asks for what the archive holds before the oldest row here, not at each step of a scroll."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._asked_for = ""
        self._asked_at_utc_ms = 0

    def on_start_reached(self, conversation_id: str) -> None:
        """Ask for older messages, of one conversation once in a while."""
        now = self._workspace.clock.now_utc_ms()
        if conversation_id != self._asked_for or abs(now - self._asked_at_utc_ms) > _ASK_AGAIN_MS:
            self._asked_for, self._asked_at_utc_ms = conversation_id, now
            self._workspace.core.rooms.want_older(ConversationId(conversation_id))


class _Book:
    """The own book's people, read when their page is first shown and kept true from then on."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._wanted = False

    def on_shown(self) -> None:
        """Read the book, the first time."""
        if not self._wanted:
            self._wanted = True
            self._read()

    def on_changed(self, changes: ChangeSet) -> None:
        """Read the book anew when somebody in it changed."""
        if self._wanted and (changes.contacts or changes.reset):
            self._read()

    def _read(self) -> None:
        self._workspace.spawner.spawn(self._load(), "read people")

    async def _load(self) -> None:
        self._workspace.people.set_contacts(await self._workspace.source.contacts())
