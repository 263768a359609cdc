"""Turns a policy decision into what the composer shows: rows, underlines, the Send button.

It never evaluates a draft and never changes its text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contract.policy.model import Action, Decision, Finding, Fix, FixKind, OverrideKind
from ui.models.finding_answers import Answers
from ui.models.policy_words import FALLBACK_LANGUAGE, Say, say

_TEXT_FIXES = frozenset({FixKind.MASK, FixKind.REMOVE, FixKind.REPLACE, FixKind.ADD_DISCLAIMER})
_NOBODY = Answers()


class Offer(StrEnum):
    """What a row offers besides its fixes."""

    REASON = "reason"
    ACKNOWLEDGE = "acknowledge"
    REPORT_FALSE = "report_false"
    TAKE_BACK = "take_back"
    REMOVE_FILE = "remove_file"


class Need(StrEnum):
    """What has to happen before a text with this finding may go."""

    NOTHING = ""
    MENDING = "mending"
    REASON = "reason"
    ACKNOWLEDGEMENT = "acknowledgement"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Underline:
    """A wavy line below [start, end) in UTF-16 units, as Qt's text cursor counts."""

    start: int
    end: int
    severity: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding above the text; `severity` is block, warn or hint.

    `key` tells rows apart, `answer_key` is what an answer to it is kept under. `start` and `end`
    are UTF-16 units of the text the decision was made for; `words` is what stands there, so that
    a fix is only applied to the text it was made for. `file` is the SHA-256 of the attachment
    that holds the words, "" for the text itself.
    """

    key: str
    rule_id: str
    answer_key: str
    severity: str
    headline: str
    detail: str
    fixes: tuple[Fix, ...]
    offers: tuple[Offer, ...]
    need: Need
    why: str
    start: int
    end: int
    words: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the decision means for sending, answers counted in.

    `to_mend` counts blocking findings, `to_acknowledge` warnings not gone against yet;
    `acknowledged` and `false_positives` are the ids of rules whose every finding was answered so.
    """

    rows: tuple[FindingRow, ...] = ()
    underlines: tuple[Underline, ...] = ()
    to_mend: int = 0
    to_acknowledge: int = 0
    needs_reason: bool = False
    needs_approval: bool = False
    warned: bool = False
    acknowledged: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    language: str = FALLBACK_LANGUAGE


def utf16_offset(text: str, code_points: int) -> int:
    """Return how many UTF-16 units the first `code_points` characters of `text` take."""
    head = text[:code_points]
    if head.isascii():
        return len(head)
    return len(head.encode("utf-16-le", "surrogatepass")) // 2


def verdict(
    decision: Decision,
    text: str,
    answers: Answers = _NOBODY,
    *,
    words_only: bool = False,
    language: str = FALLBACK_LANGUAGE,
    files: Mapping[str, str] | None = None,
) -> Verdict:
    """Read `decision`, made for exactly `text`; rows stand most severe first.

    `words_only` leaves out findings about the recipient, which stand on no words; `files` gives
    the names of the draft's attachments by their SHA-256.
    """
    shown = [
        finding
        for finding in decision.findings
        if finding.action.rank >= Action.HINT.rank
        and not (words_only and finding.start == finding.end and not finding.attachment)
    ]
    blocked = any(finding.action is Action.BLOCK for finding in shown)
    reader = _Reader(text, answers, language, files or {}, blocked)
    rows = tuple(reader.row(finding) for finding in shown)
    lines = tuple(
        Underline(row.start, row.end, row.severity)
        for row in rows
        if row.end > row.start and not row.file and row.answer_key not in answers.false_positives
    )
    needs = Counter(row.need for row in rows)
    return Verdict(
        rows=rows,
        underlines=lines,
        to_mend=needs[Need.MENDING],
        to_acknowledge=needs[Need.ACKNOWLEDGEMENT],
        needs_reason=needs[Need.REASON] > 0,
        needs_approval=needs[Need.APPROVAL] > 0,
        warned=any(
            row.severity == "warn" and row.answer_key not in answers.false_positives for row in rows
        ),
        acknowledged=_rules_answered(rows, answers.acknowledged),
        false_positives=_rules_answered(rows, answers.false_positives),
        language=language,
    )


def spoken(row: FindingRow, language: str = FALLBACK_LANGUAGE) -> str:
    """Return the row as one sentence for a screen reader."""
    lead = {"block": Say.TO_MEND, "warn": Say.TO_CHECK}.get(row.severity, Say.HINT)
    return f"{say(lead, language)}: {row.headline}. {row.detail}".strip()


class _Reader:
    """Reads the findings of one decision, one row each."""

    def __init__(
        self, text: str, answers: Answers, language: str, files: Mapping[str, str], blocked: bool
    ) -> None:
        self._text = text
        self._answers = answers
        self._language = language
        self._files = files
        self._blocked = blocked
        self._seen: Counter[str] = Counter()

    def row(self, finding: Finding) -> FindingRow:
        """Return the row of one finding."""
        own = not finding.attachment
        words = self._text[finding.start : finding.end] if own else finding.attachment
        answer_key = f"{finding.rule_id}|{words.casefold()}"
        self._seen[answer_key] += 1
        answer = self._answer(finding, answer_key)
        need = Need.NOTHING if answer else _need(finding)
        return FindingRow(
            key=f"{answer_key}|{self._seen[answer_key]}",
            rule_id=finding.rule_id,
            answer_key=answer_key,
            severity=_severity(finding.action),
            headline=self._headline(finding),
            detail=say(answer, self._language) if answer else self._detail(finding, need),
            fixes=tuple(fix for fix in finding.fixes if own or fix.kind not in _TEXT_FIXES),
            offers=self._offers(finding, need, answered=answer is not None),
            need=need,
            why=self._why(finding),
            start=utf16_offset(self._text, finding.start) if own else 0,
            end=utf16_offset(self._text, finding.end) if own else 0,
            words=words if own else "",
            file=finding.attachment,
        )

    def _answer(self, finding: Finding, key: str) -> Say | None:
        if self._blocked or finding.action in (Action.BLOCK, Action.HINT):
            return None
        names = {key, finding.rule_id}
        if names & self._answers.false_positives and _may_be_false(finding):
            return Say.REPORTED
        if names & self._answers.acknowledged and _need(finding) is Need.ACKNOWLEDGEMENT:
            return Say.ACKNOWLEDGED
        return None

    def _headline(self, finding: Finding) -> str:
        name = self._files.get(finding.attachment, "")
        if not name:
            return finding.message
        return f"{finding.message} {say(Say.IN_FILE, self._language, file=name)}"

    def _detail(self, finding: Finding, need: Need) -> str:
        if need is Need.APPROVAL and not self._blocked:
            return finding.detail or say(Say.APPROVAL_NEXT, self._language)
        if not self._blocked or need not in (Need.REASON, Need.APPROVAL):
            return finding.detail
        later = Say.REASON_LATER if need is Need.REASON else Say.APPROVAL_LATER
        return say(later, self._language)

    def _offers(self, finding: Finding, need: Need, *, answered: bool) -> tuple[Offer, ...]:
        offers = [Offer.REMOVE_FILE] if finding.attachment else []
        if answered:
            return (*offers, Offer.TAKE_BACK)
        if self._blocked or need is Need.NOTHING:
            return tuple(offers)
        if need is Need.REASON:
            offers.append(Offer.REASON)
        if need is Need.ACKNOWLEDGEMENT:
            offers.append(Offer.ACKNOWLEDGE)
        if _may_be_false(finding):
            offers.append(Offer.REPORT_FALSE)
        return tuple(offers)

    def _why(self, finding: Finding) -> str:
        rule = say(Say.RULE, self._language, rule=finding.rule_id)
        return f"{finding.why} · {rule}" if finding.why else rule


def _need(finding: Finding) -> Need:
    """Return what a finding asks for; an override kind may ask for less or more than the action."""
    if finding.action is Action.BLOCK:
        return Need.MENDING
    if finding.action is Action.APPROVE:
        return Need.APPROVAL
    if finding.action is Action.JUSTIFY:
        return Need.REASON
    if finding.action is not Action.WARN:
        return Need.NOTHING
    if finding.override_kind is OverrideKind.WITH_JUSTIFICATION:
        return Need.REASON
    free = finding.override_kind is OverrideKind.WITHOUT_JUSTIFICATION
    return Need.NOTHING if free else Need.ACKNOWLEDGEMENT


def _may_be_false(finding: Finding) -> bool:
    return finding.override_kind is OverrideKind.FALSE_POSITIVE


def _rules_answered(rows: tuple[FindingRow, ...], given: frozenset[str]) -> tuple[str, ...]:
    """Return the rules with an answer in `given` whose every row is answered, in their order."""
    open_rules = {row.rule_id for row in rows if Offer.TAKE_BACK not in row.offers}
    answered = dict.fromkeys(row.rule_id for row in rows if {row.answer_key, row.rule_id} & given)
    return tuple(rule for rule in answered if rule not in open_rules)


def _severity(action: Action) -> str:
    if action is Action.BLOCK:
        return "block"
    return "hint" if action is Action.HINT else "warn"
