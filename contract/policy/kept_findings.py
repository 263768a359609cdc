"""Owns keeping findings between evaluations of nearly the same draft, while their grounds hold.

It never decides whether grounds still hold but by comparing all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from contract.policy.hits import Hit
from contract.policy.model import Facts, Finding, facts_hash

MAX_KEPT = 256


class KeptFindings:
    """The findings of the last evaluations, for one thread; bounded."""

    def __init__(self) -> None:
        self._facts: Facts | None = None
        self._facts_hash = ""
        self._grounds: tuple[object, ...] = ()
        self._beyond_text: tuple[Finding, ...] = ()
        self._wording: tuple[str, ...] = ()
        self._by_hit: dict[tuple[str, Hit], Finding] = {}

    def facts_hash(self, facts: Facts) -> str:
        """Return the hash of facts, worked out anew unless all their parts are the last ones."""
        kept = self._facts
        if kept is None or not (
            facts.version == kept.version
            and facts.contact_points is kept.contact_points
            and facts.walls is kept.walls
            and facts.accounts is kept.accounts
            and facts.book is kept.book
            and facts.reach is kept.reach
            and facts.gifts is kept.gifts
        ):
            self._facts, self._facts_hash = facts, facts_hash(facts)
        return self._facts_hash

    def beyond_text(
        self, grounds: tuple[object, ...], find: Callable[[], tuple[Finding, ...]]
    ) -> tuple[Finding, ...]:
        """Return the findings of rules that no word touches; `grounds` is all they rest on."""
        if grounds != self._grounds:
            self._beyond_text = find()
            self._grounds = grounds
        return self._beyond_text

    def worded(
        self, wording: tuple[str, ...], rule_id: str, hit: Hit, word: Callable[[], Finding]
    ) -> Finding:
        """Return the finding of a hit; `wording` is what its words depend on besides the hit."""
        if wording != self._wording or len(self._by_hit) > MAX_KEPT:
            self._by_hit.clear()
            self._wording = wording
        finding = self._by_hit.get((rule_id, hit))
        if finding is None:
            finding = self._by_hit[rule_id, hit] = word()
        return finding
