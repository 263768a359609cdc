"""Owns the hints of one client: the bundle in force and the decision on the draft being typed.

It never refuses a message, asks the network or changes a draft; only the backend enforces.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Sequence

from contract.policy.book import BookFacts
from contract.policy.bundle import CompiledBundle, Side
from contract.policy.context import ScanMemo
from contract.policy.detectors import forget_texts
from contract.policy.evaluate import evaluate
from contract.policy.finders import prepare_searches
from contract.policy.ground import ConversationGround
from contract.policy.manifest import unpack_bundle, version_key
from contract.policy.matrix import RecipientVerdict, evaluate_each
from contract.policy.model import (
    AccountFacts,
    Attachment,
    Decision,
    Draft,
    Facts,
)
from contract.policy.problems import BundleError, BundleProblem
from contract.policy.recipient_detectors import time_marks
from contract.policy.signing import open_signed_bundle
from contract.receipts.keys import VerifierKey
from contract.wire import MAX_DECISION_CHARS, Contact, Conversation, HintReport

CACHED_DECISIONS = 16

_Key = tuple[str, Draft, str, tuple[bool, ...]]


class HintResult:
    """A decision for the composer, and the report of it that travels with the message."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    @functools.cached_property
    def report(self) -> HintReport:
        """What travels with the message; most keystrokes are never sent, so made when asked."""
        return report_of(self.decision)


class HintEngine:
    """Decides on drafts with one bundle until a newer one is offered.

    Called on one thread; `offer` compiles and belongs on a worker thread, it swaps the bundle
    in one step.
    """

    def __init__(self, bundle: CompiledBundle) -> None:
        self._bundle = bundle
        self._results: OrderedDict[_Key, HintResult] = OrderedDict()
        self._memo = ScanMemo()
        self.ground = ConversationGround()
        prepare_searches(bundle.rules)

    @classmethod
    def from_packed(cls, content: bytes, known: Sequence[VerifierKey]) -> HintEngine:
        """Start with a packed bundle as the backend serves it, signed by one of the known keys.

        Raises BundleError.
        """
        return cls(open_signed_bundle(unpack_bundle(content), known, side=Side.CLIENT))

    @property
    def bundle_version(self) -> str:
        """Return the version in force, for the status bar."""
        return self._bundle.version

    @property
    def bundle_hash(self) -> str:
        """Return the hash (hex) of the bundle in force."""
        return self._bundle.hash

    def offer(self, content: bytes, known: Sequence[VerifierKey]) -> tuple[BundleProblem, ...]:
        """Take a newer packed bundle; return its faults, with which the old one stays in force.

        One without a known key's signature is refused, an older version, and the same version
        with other bytes.
        """
        try:
            offered = open_signed_bundle(unpack_bundle(content), known, side=Side.CLIENT)
        except BundleError as error:
            return error.problems
        current = self._bundle
        if offered.hash == current.hash:
            return ()
        if version_key(offered.version) <= version_key(current.version):
            reason = f"version {offered.version} is not newer than {current.version} in force"
            return (BundleProblem("bundle", 0, reason),)
        prepare_searches(offered.rules)
        self._bundle = offered
        return ()

    def check(
        self,
        conversation: Conversation,
        contacts: Sequence[Contact],
        text: str,
        now_utc_ms: int,
        *,
        attachments: Sequence[Attachment] = (),
        language: str = "en",
        accounts: AccountFacts | None = None,
        book: BookFacts | None = None,
        template_id: str = "",
        quoted_text: str = "",
    ) -> HintResult:
        """Decide on the text as typed in a conversation; about 0.05 ms for 200 characters.

        `accounts` and `book` are the employee's own book's, `quoted_text` is the message
        answered, `template_id` names the approved template the text is, if it is one.
        """
        draft = self.ground.draft(
            conversation,
            contacts,
            text,
            attachments,
            language,
            template_id=template_id,
            quoted_text=quoted_text,
        )
        facts = self.ground.facts(conversation, contacts, now_utc_ms, accounts, book)
        return self.check_draft(facts, draft)

    def decide_apart(self, facts: Facts, draft: Draft) -> Decision:
        """Decide on a draft on any thread, sharing nothing with what `check_draft` keeps."""
        return evaluate(self._bundle, facts, draft)

    def check_each(self, facts: Facts, draft: Draft) -> tuple[RecipientVerdict, ...]:
        """Decide on one text for each of several people, as separate chats."""
        return evaluate_each(self._bundle, facts, draft, self._memo)

    def forget(self) -> None:
        """Drop every text and decision kept: when the session locks or ends."""
        self.ground = ConversationGround()
        self._memo.forget()
        forget_texts()
        self._results.clear()

    def check_draft(self, facts: Facts, draft: Draft) -> HintResult:
        """Decide on a draft; the same one is not decided twice while nothing changed."""
        bundle = self._bundle
        key = self._key(bundle, draft, facts)
        result = self._results.get(key)
        if result is None:
            result = HintResult(evaluate(bundle, facts, draft, self._memo))
            self._results[key] = result
            if len(self._results) > CACHED_DECISIONS:
                self._results.popitem(last=False)
        else:
            self._results.move_to_end(key)
        return result

    def _key(self, bundle: CompiledBundle, draft: Draft, facts: Facts) -> _Key:
        """Return what a decision and its words depend on; the time only through its marks."""
        marks = time_marks(bundle.plans.quiet_hours, facts)
        return bundle.hash, draft, self._memo.findings.facts_hash(facts), marks


def report_of(decision: Decision) -> HintReport:
    """Return what travels with a message, for the backend to compare with its own decision."""
    return HintReport(
        evaluator_version=decision.evaluator_version,
        bundle_version=decision.bundle_version,
        facts_hash=decision.facts_hash,
        decision_hash=decision.decision_hash(),
        action=decision.action.value,
        decision=_canonical_json(decision),
    )


def _canonical_json(decision: Decision) -> str:
    """Return the decision's canonical form as JSON text, "" when it is too long to travel."""
    text = decision.canonical_bytes().partition(b"\n")[2].decode()
    return text if len(text) <= MAX_DECISION_CHARS else ""
