"""Asks what a file dropped on an open conversation is meant for: this conversation, or an import.

It never attaches and never imports.
"""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtWidgets import QWidget

from ui.views.dialogs.plain_dialog import PlainDialog


class Meant(StrEnum):
    """What a dropped file is for."""

    NOTHING = ""
    IMPORT = "import"
    ATTACH = "attach"


class DroppedFileDialog(PlainDialog):
    """`meant` holds the answer once the dialog was accepted."""

    def __init__(self, file_name: str, title: str, parent: QWidget | None = None) -> None:
        """`title` is the open conversation's."""
        text = (
            f"It can go to {title} with your next message, or be read as a chat from your phone. "
            "Neither is sent or stored before you say so."
        )
        super().__init__(f"What is “{file_name}” for?", text, parent)
        self.meant = Meant.NOTHING
        self.add_button("Cancel", "secondary", accepts=False)
        attach = self.add_button("Attach to the message", "secondary", accepts=True)
        self.attach = attach
        self.import_ = self.add_button("Import from a phone", "primary", accepts=True)
        # Neither is likelier: Return does what the focused button says.
        for one in (attach, self.import_):
            one.setDefault(False)
            one.setAutoDefault(True)
        attach.clicked.disconnect()
        attach.clicked.connect(lambda: self._answer(Meant.ATTACH))
        self.import_.clicked.disconnect()
        self.import_.clicked.connect(lambda: self._answer(Meant.IMPORT))

    def _answer(self, meant: Meant) -> None:
        self.meant = meant
        self.accept()
