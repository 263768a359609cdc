"""Asks for the passphrase where there is no keyring, and what to do when the key is lost.

It never keeps a passphrase longer than it is open and never deletes data.
"""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from ui.views.dialogs.plain_dialog import PlainDialog, field_label

SHORTEST_PASSPHRASE = 10


class PassphraseDialog(PlainDialog):
    """`choosing` asks twice for a new one; else once for the known one."""

    def __init__(self, *, choosing: bool, error: str = "", parent: QWidget | None = None) -> None:
        title = "Choose a passphrase" if choosing else "Passphrase"
        text = (
            "This session has no keyring to keep Parley's key. A passphrase protects your data "
            "instead. Parley asks for it at each start; nobody can restore it for you."
            if choosing
            else "Parley's data on this computer is protected by your passphrase."
        )
        super().__init__(title, text, parent)
        self._choosing = choosing
        self.first = self._field("Passphrase")
        self.second = self._field("The same once more") if choosing else None
        self.add_button("Quit", "secondary", accepts=False)
        self.add_button("Open Parley", "primary", accepts=True)
        self.show_error(error)

    def passphrase(self) -> str:
        """Return what was typed."""
        return self.first.text()

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setEchoMode(QLineEdit.EchoMode.Password)
        self.fields.addWidget(field_label(name, field))
        self.fields.addWidget(field)
        return field

    def accept(self) -> None:
        """Close when what was typed can be used, else say what is missing."""
        if not self.first.text():
            self.show_error("Type the passphrase first.")
        elif self._choosing and len(self.first.text()) < SHORTEST_PASSPHRASE:
            self.show_error(f"Choose at least {SHORTEST_PASSPHRASE} characters.")
        elif self.second is not None and self.second.text() != self.first.text():
            self.show_error("The two are not the same. Type them again.")
        else:
            super().accept()


class KeyLostDialog(PlainDialog):
    """Starting anew keeps the old files aside; quitting changes nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "The key to your data is missing",
            "Parley's data is here, but its key is no longer in this computer's keyring. If the "
            "keyring was restored or moved, quit, bring it back and start Parley again. Or start "
            "anew: your firm's messages are read again from the service, and the old files, with "
            "drafts and waiting messages in them, are kept aside.",
            parent,
        )
        self.add_button("Start anew, keep old files", "secondary", accepts=True).setDefault(False)
        self.add_button("Quit", "primary", accepts=False).setDefault(True)


class FaultDialog(PlainDialog):
    """Why Parley can't start, in one sentence."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__("Parley can't open", text, parent)
        self.add_button("Quit", "primary", accepts=True)
