"""Owns what a delivery receipt says: of which message, and what became of it.

It never guesses: a state it does not know changes nothing.

Source: SMPP v3.4, appendix B (the text) and sections 5.3.2.12, 5.3.2.35 (the parameters).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from backend.channels.smpp import wire
from contract.states import DeliveryState

_ID = re.compile(rb"\bid:\s*([^\s]+)", re.IGNORECASE)
_STATE = re.compile(rb"\bstat:\s*([A-Za-z]+)", re.IGNORECASE)
_ERROR = re.compile(rb"\berr:\s*([0-9A-Za-z]+)", re.IGNORECASE)
_BY_NUMBER = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED",
    5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
_STATES = {
    "DELIVRD": DeliveryState.DELIVERED,
    "EXPIRED": DeliveryState.FAILED,
    "DELETED": DeliveryState.FAILED,
    "UNDELIV": DeliveryState.FAILED,
    "REJECTD": DeliveryState.FAILED,
}
_WORDS = {
    "EXPIRED": "The SMS could not be delivered in time.",
    "DELETED": "The SMS centre deleted the message.",
    "UNDELIV": "The SMS could not be delivered.",
    "REJECTD": "The network rejected the SMS.",
}


class ReceiptText(NamedTuple):
    """The message's id, the centre's word for its state, and what that means, if anything."""

    message_id: str
    stat: str
    error: str

    @property
    def state(self) -> DeliveryState | None:
        """Return the state this proves; None while it is on its way."""
        return _STATES.get(self.stat)

    @property
    def detail(self) -> str:
        """Return a sentence for a failure, with the network's error where it told one."""
        words = _WORDS.get(self.stat, "")
        told = self.error.strip("0")
        return f"{words[:-1]} (error {self.error})." if words and told else words


def read_receipt(message: wire.ShortMessage) -> ReceiptText:
    """Return what a receipt tells; the parameters stand before the text."""
    told = message.parameters
    number = int.from_bytes(told.get(wire.MESSAGE_STATE, b""))
    found_id, found_state = _ID.search(message.content), _STATE.search(message.content)
    error = _ERROR.search(message.content)
    if wire.RECEIPTED_ID in told:
        message_id = wire.read_id(told[wire.RECEIPTED_ID])
    else:
        message_id = found_id.group(1).decode("ascii", "replace") if found_id else ""
    stat = _BY_NUMBER.get(number, "")
    if not stat and found_state:
        stat = found_state.group(1).decode("ascii").upper()
    return ReceiptText(message_id, stat, error.group(1).decode("ascii") if error else "")
