"""Owns what several rules need to know of one text, each part worked out at most once.

It never judges a find, and it reads nothing of a draft but one of its texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from contract.policy.first_look import Clue
from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan
from contract.policy.lexicon import TermMatch
from contract.policy.normalise import Normalised
from contract.policy.scanned_text import Identifier

if TYPE_CHECKING:
    from contract.policy.bundle import CompiledBundle

EVIDENCE_REACH = 300
MAX_MATCHES_PER_PATTERN = 100
"""Bounds what one pattern may cost: looking for each next match may read the whole rest."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class TextScan:
    """One text under one bundle: folded, with its terms, identifiers and pattern matches."""

    def __init__(
        self, bundle: CompiledBundle, typed: str, identifiers: IdentifierScan | None = None
    ) -> None:
        self.typed = typed
        self._identifiers = identifiers or IdentifierScan(typed)
        self.normalised: Normalised = self._identifiers.normalised
        self._bundle = bundle
        self._terms: dict[int, list[TermMatch]] | None = None
        self._matches: dict[str, list[tuple[int, int]]] = {}

    @property
    def terms(self) -> dict[int, list[TermMatch]]:
        """Matches of the bundle's terms by the index of their rule; places of the folded text."""
        if self._terms is None:
            self._terms = self._find_terms()
        return self._terms

    def _find_terms(self) -> dict[int, list[TermMatch]]:
        by_rule: dict[int, list[TermMatch]] = {}
        clues = self.clues
        for match in self._bundle.lexicon.find(
            self.normalised.text,
            spaced=Clue.SPACED_LETTERS in clues,
            disguised=Clue.DISGUISED_WORD in clues,
        ):
            by_rule.setdefault(match.term.rule_index, []).append(match)
        return by_rule

    @property
    def clues(self) -> Sequence[int]:
        """Return what the text may hold, by the values of `Clue`."""
        return self._identifiers.clues

    def identifiers(self, kind: IdentifierKind) -> list[Identifier]:
        """Return the identifiers of one kind; places of the folded text."""
        return self._identifiers.find(kind)

    def pattern_spans(self, rule_id: str, *, as_typed: bool) -> list[tuple[int, int]]:
        """Return where a rule's pattern matches, in code points of the text as typed.

        At most MAX_MATCHES_PER_PATTERN; empty matches are left out.
        """
        spans = self._matches.get(rule_id)
        if spans is None:
            spans = self._matches[rule_id] = self._search(rule_id, as_typed)
        return spans

    def _search(self, rule_id: str, as_typed: bool) -> list[tuple[int, int]]:
        normalised = self.normalised
        if as_typed:
            normalised = Normalised(_SURROGATE.sub("\ufffd", self.typed), None, None)
        spans: list[tuple[int, int]] = []
        for match in self._bundle.patterns[rule_id].finditer(normalised.text):
            if match.end() > match.start():
                spans.append(normalised.span(match.start(), match.end()))
                if len(spans) == MAX_MATCHES_PER_PATTERN:
                    break
        return spans

    def has_evidence(self, rule_id: str, start: int, end: int) -> bool:
        """Tell whether one of a rule's evidence words stands near a span of the folded text."""
        words = self._bundle.evidence.get(rule_id)
        if words is None:
            return False
        low = max(start - EVIDENCE_REACH, 0)
        return words.stand_in(self.normalised.text, low, end + EVIDENCE_REACH)
