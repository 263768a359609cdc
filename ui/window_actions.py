"""Everything that can be done by a key, from the palette or from a banner, in one list.

It never does anything itself: it passes each wish to the workspace.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut

from app.domain.inbox import InboxFilter
from contract.ids import ConversationId, MessageId
from ui.import_entry import ImportEntry
from ui.models.banner_words import OPEN_IMPORT
from ui.models.channel_words import channel_to_show
from ui.models.palette_rows import PaletteAction, PaletteKind, PaletteRow
from ui.models.status_words import ALARM_DETAILS, GO_ON_WITH_HISTORY, PAUSE_HISTORY
from ui.models.version_words import CLIENT_PAGE
from ui.outreach import Outreach
from ui.queue_actions import QueueActions
from ui.version_notice import VersionNotice
from ui.views.rail import Page

if TYPE_CHECKING:
    from ui.workspace import Workspace


class WindowActions:
    """Shortcuts of the window with the palette's actions."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.outreach = Outreach(workspace)
        self.queue = QueueActions(workspace)
        self.imports = ImportEntry(workspace)
        self.versions = VersionNotice(workspace)
        self._actions = self._named_actions()
        window = workspace.window
        for keys, action in self._keys().items():
            shortcut = QShortcut(QKeySequence(keys), window)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(action)
        self._offer()
        workspace.approvals.role_learnt.connect(self._offer)
        workspace.triage.role_learnt.connect(self._offer)
        window.palette_view.chosen.connect(self.on_chosen)
        window.banners.action_triggered.connect(self.on_banner)

    def on_chosen(self, row: PaletteRow) -> None:
        """Carry out what was chosen in the palette."""
        if row.kind is PaletteKind.ACTION:
            self._actions[row.action][2]()
        elif row.conversation_id is not None:
            if row.in_archive and row.message_id is not None:
                work = self._open_from_archive(row.conversation_id, row.message_id)
                self._workspace.spawner.spawn(work, "open a message of the archive")
                return
            self._workspace.open_conversation(row.conversation_id, row.message_id)
            self._workspace.window.composer.edit.setFocus()
        else:
            self._page(Page.PEOPLE)
            self._workspace.window.people.field.setText(row.title)

    async def _open_from_archive(self, home: ConversationId, message_id: MessageId) -> None:
        """Bring a message with its neighbours to this computer, then show it in its place."""
        await self._workspace.core.rooms.search.bring(message_id)
        self._workspace.open_conversation(home, message_id)
        self._workspace.window.composer.edit.setFocus()

    def on_banner(self, key: str) -> None:
        """Carry out a banner's action."""
        if key.startswith("dismiss:"):
            self._workspace.banners.dismiss(key.removeprefix("dismiss:"))
            self.versions.on_dismissed(key.removeprefix("dismiss:"))
        elif key == CLIENT_PAGE:
            self.versions.open_page()
        elif key == ALARM_DETAILS:
            self._workspace.show_alarm()
        elif key in {PAUSE_HISTORY, GO_ON_WITH_HISTORY}:
            self._workspace.core.rooms.pause_history(key == PAUSE_HISTORY)
        elif key == "diagnostics":
            self._page(Page.DIAGNOSTICS)
        elif key == "connect":
            self._page(Page.SETTINGS)
        elif key == OPEN_IMPORT:
            self.imports.open()
        elif key == "retry":
            self._workspace.retry()
        elif (channel := channel_to_show(key)) is not None:
            self._page(Page.INBOX)
            self._workspace.inbox.set_channel(channel)

    def _named_actions(self) -> dict[str, tuple[str, str, Callable[[], None]]]:
        workspace = self._workspace
        filters = {
            InboxFilter.ALL: "Show all conversations",
            InboxFilter.UNREAD: "Show unread conversations",
            InboxFilter.AWAITING: "Show who waits for an answer",
            InboxFilter.EXPIRING: "Show windows that close soon",
        }
        actions: dict[str, tuple[str, str, Callable[[], None]]] = {
            "diagnostics": ("Run diagnostics", "F12", lambda: self._page(Page.DIAGNOSTICS)),
            "inbox": ("Go to the inbox", "Ctrl+1", lambda: self._page(Page.INBOX)),
            "people": ("Go to people", "Ctrl+2", lambda: self._page(Page.PEOPLE)),
            "several": (
                "Write to several clients",
                "Ctrl+Shift+N",
                lambda: self.outreach.several.open(),
            ),
            "import": ("Import from a phone…", "Ctrl+Shift+I", self.imports.open),
            "outbox": ("Show waiting messages", "Ctrl+Shift+O", self.queue.open),
            "approvals": ("Go to approvals", "Ctrl+5", self._approvals),
            "triage": ("Go to unknown senders", "Ctrl+6", self._triage),
            "settings": ("Open settings", "Ctrl+4", lambda: self._page(Page.SETTINGS)),
            "find": ("Find in this conversation", "Ctrl+F", self._find),
            "next": ("Next conversation", "Alt+Down", lambda: self._step(1)),
            "previous": ("Previous conversation", "Alt+Up", lambda: self._step(-1)),
            "dark": ("Use the dark theme", "", lambda: self._theme("dark")),
            "light": ("Use the light theme", "", lambda: self._theme("light")),
            "retry": ("Send waiting messages now", "", workspace.retry),
        }
        for wanted, title in filters.items():
            actions[f"filter:{wanted}"] = (title, "", functools.partial(self._filter, wanted))
        return actions

    def _keys(self) -> dict[str, Callable[[], None]]:
        return {
            "Ctrl+K": self._workspace.window.palette_view.open,
            "F12": lambda: self._page(Page.DIAGNOSTICS),
            "Ctrl+1": lambda: self._page(Page.INBOX),
            "Ctrl+2": lambda: self._page(Page.PEOPLE),
            "Ctrl+3": lambda: self._page(Page.DIAGNOSTICS),
            "Ctrl+4": lambda: self._page(Page.SETTINGS),
            "Ctrl+5": self._approvals,
            "Ctrl+6": self._triage,
            "Ctrl+Shift+N": lambda: self.outreach.several.open(),
            "Ctrl+Shift+O": self.queue.open,
            "Ctrl+Shift+I": self.imports.open,
            "Ctrl+F": self._find,
            "Alt+Down": lambda: self._step(1),
            "Alt+Up": lambda: self._step(-1),
            "Esc": self._escape,
        }

    def _offer(self) -> None:
        """Offer in the palette what this person may do."""
        open_to = {
            "approvals": self._workspace.approvals.offered,
            "triage": self._workspace.triage.offered,
        }
        hidden = [key for key, offered in open_to.items() if not offered]
        offered = [
            PaletteAction(key, title, _native(keys))
            for key, (title, keys, _) in self._actions.items()
            if key not in hidden
        ]
        self._workspace.search.set_actions(offered)

    def _approvals(self) -> None:
        if self._workspace.approvals.offered:
            self._page(Page.APPROVALS)

    def _triage(self) -> None:
        if self._workspace.triage.offered:
            self._page(Page.TRIAGE)

    def _page(self, page: Page) -> None:
        self._workspace.show_page(page)

    def _filter(self, wanted: InboxFilter) -> None:
        self._page(Page.INBOX)
        self._workspace.inbox.set_filter(wanted)

    def _theme(self, theme: str) -> None:
        self._workspace.preferences.choose("Theme", theme)

    def _find(self) -> None:
        if self._workspace.conversation.conversation_id is not None:
            self._page(Page.INBOX)
            self._workspace.window.find_bar.open_bar()

    def _step(self, by: int) -> None:
        self._page(Page.INBOX)
        self._workspace.window.inbox.step(by)

    def _escape(self) -> None:
        window = self._workspace.window
        if window.palette_view.isVisible():
            window.palette_view.close_palette()
        elif window.find_bar.isVisible():
            window.find_bar.close_bar()
        elif window.page() is not Page.INBOX:
            self._page(Page.INBOX)
        else:
            window.inbox.focus_list()


def _native(keys: str) -> str:
    """Return keys as this system writes them: "Ctrl 1", on a Mac "⌘1"."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("+", " ")
