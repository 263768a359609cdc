"""Holds what policy says of one draft: its newest decision read with the sender's answers.

It never sends, saves or changes a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.domain.drafts import CheckedDraft, Draft
from contract.policy.model import Decision
from contract.wire import WireFinding
from ui.bridge.spawn import Spawner
from ui.models.draft_check import Check, CheckLater, DraftCheck
from ui.models.enforced_findings import EnforcedFindings
from ui.models.finding_answers import FindingAnswers
from ui.models.findings import Need, Verdict, verdict
from ui.models.policy_words import FALLBACK_LANGUAGE
from ui.models.spoken_findings import SpokenFindings

GO_AHEAD = "Read the warning above, then press “Send anyway”."


@dataclass(frozen=True, slots=True)
class PolicyChecks:
    """How drafts are checked: at once, beside the UI thread, and in which language to speak."""

    now: Check
    later: CheckLater | None = None
    language: Callable[[], str] = lambda: FALLBACK_LANGUAGE


class DraftPolicy(QObject):
    """`changed` is emitted with each new verdict, `answered` when the user gave an answer.

    `draft_now` gives what is to be checked (None: nothing), `gate_open` whether sending is open
    at all: a closed gate's own note says already what a rule says of the recipient.
    """

    changed = Signal()
    answered = Signal()
    announced = Signal(str)

    def __init__(
        self,
        checks: PolicyChecks,
        spawner: Spawner,
        draft_now: Callable[[], CheckedDraft | None],
        gate_open: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._language = checks.language
        self._draft_now = draft_now
        self._gate_open = gate_open
        self._decided: tuple[CheckedDraft, Decision | None] | None = None
        self._reason_pressed = False
        self._enforced = EnforcedFindings()
        self.verdict = Verdict()
        self.answers = FindingAnswers(self)
        self.answers.changed.connect(self._on_answered)
        self._checks = DraftCheck(checks.now, checks.later, spawner, self)
        self._checks.decided.connect(self._on_decided)
        self._spoken = SpokenFindings(self)
        self._spoken.announced.connect(self.announced)

    @property
    def reason_missed(self) -> bool:
        """Tell that Send was pressed on a reason too short to be one."""
        return self._reason_pressed and not self.answers.value.has_reason

    @property
    def stale(self) -> bool:
        """Tell that the verdict belongs to an earlier text: the newest is still being checked."""
        return self._decided is not None and self._decided[0] != self._draft_now()

    def evaluate(self, *, at_once: bool = True) -> None:
        """Check the draft as it is now.

        Without `at_once` a draft whose check would cost a frame is checked beside the UI thread;
        until then the verdict before stands.
        """
        draft = self._draft_now()
        if draft is None:
            self._decided = None
        elif at_once or self._checks.fits_now(draft):
            self._decided = (draft, self._checks.now(draft))
        else:
            self._checks.later(draft)
        self._judge()

    def restore(self, draft: Draft | None, refused: Iterable[WireFinding] = ()) -> None:
        """Begin anew with a draft's answers; `refused` is what the backend found in its text."""
        self._enforced = EnforcedFindings(draft.text if draft is not None else "", refused)
        self.answers.restore(draft)
        self.edited()

    def begin(self) -> None:
        """Another draft is on screen: what stands in it is told once."""
        self._spoken.begin(self.verdict)

    def edited(self) -> None:
        """The text changed: what was asked of the user is asked anew."""
        self.answers.asks_acknowledgement = self._reason_pressed = False

    def go_ahead(self) -> None:
        """Take the word of someone who read every warning."""
        rows = (row for row in self.verdict.rows if row.need is Need.ACKNOWLEDGEMENT)
        self.answers.acknowledge([row.answer_key for row in rows])

    def ask_for_answers(self) -> bool:
        """Ask for what is still missing; returns False when nothing is."""
        answers = self.answers
        if self.verdict.to_acknowledge:
            answers.asks_acknowledgement = True
            self.announced.emit(GO_AHEAD)
        elif self.verdict.needs_reason and not answers.value.has_reason:
            self._reason_pressed = answers.asks_reason
            answers.asks_reason = True
        else:
            return False
        self.changed.emit()
        return True

    def _judge(self) -> None:
        """Read the newest decision with the answers given."""
        self.verdict = self._read()
        self._spoken.note(self.verdict)
        self.changed.emit()

    def _read(self) -> Verdict:
        checked, decision = self._decided or (None, None)
        if checked is None or decision is None:
            return Verdict()
        return verdict(
            self._enforced.joined(decision, checked.text),
            checked.text,
            self.answers.value,
            words_only=not self._gate_open(),
            language=self._language(),
            files={file.sha256: file.name for file in checked.files},
        )

    def _on_answered(self) -> None:
        self._judge()
        self.answered.emit()

    def _on_decided(self, draft: CheckedDraft, decision: Decision | None) -> None:
        if draft == self._draft_now():
            self._decided = (draft, decision)
            self._judge()
