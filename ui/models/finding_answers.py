"""Holds what the sender answered to the findings of one draft: reason, go-aheads, reports.

It never decides whether an answer is enough: the verdict does, and the backend has the last word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from app.domain.drafts import Draft
from contract.ids import ConversationId

MIN_REASON_WIDTH = 10
MAX_REASON_CHARS = 500
_NOTHING_KEPT = Draft(ConversationId(""), "")


@dataclass(frozen=True, slots=True)
class Answers:
    """`acknowledged` and `false_positives` hold keys of findings or ids of their rules."""

    justification: str = ""
    acknowledged: frozenset[str] = frozenset()
    false_positives: frozenset[str] = frozenset()

    @property
    def has_reason(self) -> bool:
        """Tell whether the reason is long enough to say something."""
        return is_reason(self.justification)


def is_reason(words: str) -> bool:
    """Tell whether words are long enough to be a reason.

    East Asian signs count double: they say as much in half the length.
    """
    signs = "".join(words.split())
    wide = sum(unicodedata.east_asian_width(sign) in ("W", "F") for sign in signs)
    return len(signs) + wide >= MIN_REASON_WIDTH


class FindingAnswers(QObject):
    """The answers of the draft on screen; `changed` is emitted when the user gives or takes one."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.value = Answers()
        self.asks_reason = False
        self.asks_acknowledgement = False

    def restore(self, draft: Draft | None = None) -> None:
        """Begin anew with what was kept with a draft; nothing is emitted."""
        kept = draft or _NOTHING_KEPT
        self.value = Answers(
            kept.justification,
            frozenset(kept.acknowledged),
            frozenset(kept.false_positives),
        )
        self.asks_reason = bool(kept.justification)
        self.asks_acknowledgement = False

    def acknowledge(self, keys: Iterable[str]) -> None:
        """Go on against the findings of `keys`."""
        known = self.value.acknowledged
        self._set(replace(self.value, acknowledged=known | frozenset(keys)))

    def report_false(self, key: str) -> None:
        """Report a finding as wrong."""
        known = self.value.false_positives
        self._set(replace(self.value, false_positives=known | {key}))

    def take_back(self, *keys: str) -> None:
        """Forget the answer to a finding, given by its key or its rule's id."""
        gone = frozenset(keys)
        self._set(
            replace(
                self.value,
                acknowledged=self.value.acknowledged - gone,
                false_positives=self.value.false_positives - gone,
            )
        )

    def set_reason(self, words: str) -> None:
        """Take the reason as typed, at most MAX_REASON_CHARS of it."""
        self._set(replace(self.value, justification=words[:MAX_REASON_CHARS]))

    def ask_reason(self) -> None:
        """Open the field for the reason."""
        if not self.asks_reason:
            self.asks_reason = True
            self.changed.emit()

    def _set(self, value: Answers) -> None:
        if value != self.value:
            self.value = value
            self.changed.emit()
