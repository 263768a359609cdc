"""The panel at the window's end: the client, their channels, consents and the archive's count.

It never reads anything; it is handed facts.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from contract.wire import Channel, ChannelAccount, ConsentKind, Contact
from ui.models.consents import consent_words
from ui.models.conversation_facts import (
    ChannelLine,
    ConversationFacts,
    archive_lines,
    capture_lines,
    channel_lines,
    place_line,
)
from ui.theme.tokens import DETAILS_WIDTH_PX, Tokens
from ui.theme.tool_tips import plain_tip
from ui.theme.widgets import Avatar, ChannelBadge, Chip, ElidedLabel, label

_LONGEST_WORD = 24
_BUILT_AFTER_MS = 120


class DetailsPanel(QScrollArea):
    """Built anew, a moment later, whenever the facts it shows have changed."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._facts: ConversationFacts | None = None
        self._moments = (0, 0)
        self._account: ChannelAccount | None = None
        self._now_utc_ms = 0
        # The panel is many widgets: it waits until the conversation is painted, and while a
        # conversation runs hot it is built anew a few times a second only.
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_BUILT_AFTER_MS)
        self._later.timeout.connect(self._build)
        self.setObjectName("details")
        self.setAccessibleName("Details")
        self.setFixedWidth(DETAILS_WIDTH_PX)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.setStyleSheet(
            f"QScrollArea#details {{ border: none; border-left: 1px solid {tokens.line};"
            f" background: {tokens.panel}; }}"
            f"QWidget#detailsBody {{ background: {tokens.panel}; }}"
        )
        self._build()

    def show_facts(
        self,
        facts: ConversationFacts | None,
        last_archived_utc_ms: int,
        now_utc_ms: int,
        last_verified_utc_ms: int = 0,
        account: ChannelAccount | None = None,
    ) -> None:
        """Show a conversation's client; None empties the panel. Times are Unix milliseconds.

        `account` is the one of the employee that the conversation is on, where it is known.
        """
        same_minute = now_utc_ms // 60_000 == self._now_utc_ms // 60_000
        moments = (last_archived_utc_ms, last_verified_utc_ms)
        known = (self._facts, self._moments, self._account) == (facts, moments, account)
        if known and same_minute:
            return
        self._facts, self._moments, self._account = facts, moments, account
        self._now_utc_ms = now_utc_ms
        if facts is None:
            self._build()
        elif not self._later.isActive():
            self._later.start()

    def _build(self) -> None:
        self._later.stop()
        body = QWidget()
        body.setObjectName("detailsBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(18, 20, 18, 20)
        column.setSpacing(8)
        if self._facts is not None:
            self._fill(column, self._facts)
        column.addStretch(1)
        self.setWidget(body)

    def _fill(self, column: QVBoxLayout, facts: ConversationFacts) -> None:
        talk = facts.conversation
        avatar = Avatar(64, self._tokens)
        avatar.set_person(talk.title, talk.initials, talk.color)
        column.addWidget(avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(_centred(talk.title, "name"))
        if len(facts.contacts) == 1:
            person = facts.contacts[0]
            column.addWidget(_centred(place_line(person, self._now_utc_ms), "secondary"))
            self._person(column, person, talk.channel)
        else:
            self._people(column, facts.contacts, talk.channel)
        self._capture(column)
        self._section(column, "Archive")
        archived, verified = self._moments
        lines = archive_lines(talk, archived, self._now_utc_ms, verified)
        for name, value in lines.items():
            column.addLayout(_pair(name, value))
        self._shared_with(column, facts.contacts)

    def _capture(self, column: QVBoxLayout) -> None:
        lines, silent = capture_lines(self._account, self._now_utc_ms)
        if not lines:
            return
        self._section(column, "Native capture")
        for name, value in lines.items():
            column.addLayout(_pair(name, value))
        if silent:
            column.addWidget(Chip("Silent too long: Compliance was told", "warn", self._tokens))

    def _person(self, column: QVBoxLayout, person: Contact, channel: Channel) -> None:
        self._section(column, "Channels")
        for line in channel_lines(person):
            column.addLayout(self._channel(line))
        self._section(column, "Consent")
        for name, kind in (
            ("Recording notice", ConsentKind.RECORDING),
            ("Marketing", ConsentKind.MARKETING),
        ):
            column.addLayout(_pair(name, consent_words(person, kind, channel)))

    def _people(self, column: QVBoxLayout, people: tuple[Contact, ...], channel: Channel) -> None:
        self._section(column, "People")
        for person in people:
            row = QHBoxLayout()
            avatar = Avatar(24, self._tokens)
            avatar.set_person(person.display_name, person.initials, person.color)
            row.addWidget(avatar)
            row.addWidget(ElidedLabel(person.display_name), 1)
            words = consent_words(person, ConsentKind.RECORDING, channel)
            row.addWidget(label(words, "secondary"))
            column.addLayout(row)

    def _channel(self, line: ChannelLine) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(ChannelBadge(line.channel, 20))
        name = ElidedLabel(line.name)
        name.setToolTip(plain_tip(line.label))
        row.addWidget(name, 1)
        if line.native:
            row.addWidget(Chip("Native · read-only", "neutral", self._tokens))
        else:
            row.addWidget(Chip("Governed", "accent", self._tokens))
        return row

    def _shared_with(self, column: QVBoxLayout, people: tuple[Contact, ...]) -> None:
        colleagues = {one.employee_id: one for person in people for one in person.shared_with}
        if not colleagues:
            return
        self._section(column, "Shared with")
        row = QHBoxLayout()
        for number, one in enumerate(colleagues.values()):
            avatar = Avatar(28, self._tokens)
            avatar.set_person(one.display_name, one.initials, 3 + 2 * number)
            avatar.setToolTip(plain_tip(one.display_name))
            row.addWidget(avatar)
        row.addStretch(1)
        column.addLayout(row)

    def _section(self, column: QVBoxLayout, title: str) -> None:
        column.addSpacing(12)
        column.addWidget(label(title.upper(), "section"))


def _pair(name: str, value: str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(label(name, "secondary"))
    row.addStretch(1)
    row.addWidget(label(value, "body", selectable=True))
    return row


def _centred(text: str, kind: str) -> QLabel:
    # A label breaks lines at spaces only: a word longer than the panel needs places to break.
    words = (word if len(word) <= _LONGEST_WORD else "\u200b".join(word) for word in text.split())
    result = label(" ".join(words), kind)
    result.setAccessibleName(text)
    result.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    result.setWordWrap(True)
    return result
