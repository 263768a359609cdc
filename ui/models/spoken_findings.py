"""Tells a listener of each new finding once, in the pauses of typing.

It never repeats a finding because its words grew by a letter or moved.
"""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QObject, QTimer, Signal

from ui.models.findings import FindingRow, Verdict, spoken

SPEAK_AFTER_MS = 400


class SpokenFindings(QObject):
    """`announced` carries one sentence a finding, most severe first."""

    announced = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told: Counter[str] = Counter()
        self._newest = Verdict()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SPEAK_AFTER_MS)
        self._timer.timeout.connect(self.speak)

    def note(self, verdict: Verdict) -> None:
        """Take the newest verdict; what is new in it is told soon.

        The timer is not put off by further keys, so that steady typing hears of findings too.
        """
        self._newest = verdict
        if not self._timer.isActive() and self._counts(verdict.rows) != self._told:
            self._timer.start()

    def begin(self, verdict: Verdict) -> None:
        """Another draft is shown: what stands in it is told once."""
        self._told = Counter()
        self._newest = Verdict()
        self.note(verdict)

    def speak(self) -> None:
        """Tell at once what is new."""
        self._timer.stop()
        known, seen = self._told, Counter[str]()
        self._told = self._counts(self._newest.rows)
        for row in self._newest.rows:
            seen[row.rule_id] += 1
            if seen[row.rule_id] > known[row.rule_id]:
                self.announced.emit(spoken(row, self._newest.language))

    @staticmethod
    def _counts(rows: tuple[FindingRow, ...]) -> Counter[str]:
        return Counter(row.rule_id for row in rows)
