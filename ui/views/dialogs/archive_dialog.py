"""Shows where a message stands in the archive, as the service tells it.

It never calls anything verified: this computer has not checked a proof here.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from contract.wire import Direction, Message
from ui.models.times import local
from ui.theme.widgets import button, label
from ui.views.dialogs.plain_dialog import PlainDialog


class ArchiveDialog(PlainDialog):
    """One message's entry; the reference can be copied for Compliance."""

    copy_requested = Signal()

    def __init__(self, message: Message, parent: QWidget | None = None) -> None:
        super().__init__(*_headline(message), parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        for name, value in _lines(message):
            row = self._grid.rowCount()
            self._grid.addWidget(label(name, "secondary"), row, 0)
            words = label(value, "body", selectable=True)
            words.setWordWrap(True)
            words.setAccessibleName(f"{name}: {value}")
            self._grid.addWidget(words, row, 1)
        self.fields.addLayout(self._grid)
        if message.archive is not None:
            copy = button("Copy reference", "secondary")
            copy.clicked.connect(self.copy_requested)
            self.add_aside(copy)
        self.add_button("Close", "primary", accepts=True).setFocus()


def _headline(message: Message) -> tuple[str, str]:
    if message.archive is None:
        return "Not archived yet", "The service has not archived this message; it was not sent."
    before = " before it was delivered" if message.direction is Direction.OUT else ""
    return "This message is archived", f"The service archived it{before}."


def archive_reference(message: Message) -> str:
    """Return the line to quote to Compliance; it holds no content."""
    archive = message.archive
    if archive is None:
        return ""
    return f"Parley entry {archive.index} · {archive.entry_id} · {archive.entry_hash}"


def _lines(message: Message) -> list[tuple[str, str]]:
    archive = message.archive
    if archive is None:
        return []
    at = archive.archived_at_utc_ms
    when = f"{local(at):%Y-%m-%d %H:%M:%S}"
    # The hash has no place to break by itself.
    digest = archive.entry_hash
    halves = f"{digest[:32]} {digest[32:]}".strip()
    return [
        ("Archived", when),
        ("Versions", str(message.versions_archived)),
        ("Entry", str(archive.index)),
        ("Identifier", archive.entry_id),
        ("Hash", halves),
    ]
