"""Owns the figures taken of identifier detection: precision, recall, false hits, disguises caught.

It never counts a find whose span does not lie on the user's own characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from contract.policy.identifier_kinds import IdentifierKind, find_identifiers
from contract.policy.normalise import fold_term
from tests.support.policy_corpus import Marked, PolicyCorpus

WITH_CHECKSUM = (
    IdentifierKind.PAYMENT_CARD,
    IdentifierKind.IBAN,
    IdentifierKind.ISIN,
    IdentifierKind.CUSIP,
    IdentifierKind.SEDOL,
    IdentifierKind.LEI,
)
REFUSABLE = (*WITH_CHECKSUM, IdentifierKind.US_SSN, IdentifierKind.UK_NINO)
"""Kinds of which a number can be refused for its check digit, or as never issued."""

EVIDENCE = {
    IdentifierKind.US_SSN: ("ssn", "social security"),
    IdentifierKind.CUSIP: ("cusip",),
    IdentifierKind.SEDOL: ("sedol",),
    IdentifierKind.ISIN: ("isin",),
}
_REACH = 300
_MIN_EDGE = 2

PRESIDIO_KINDS = {
    "CREDIT_CARD": IdentifierKind.PAYMENT_CARD,
    "IBAN_CODE": IdentifierKind.IBAN,
    "US_SSN": IdentifierKind.US_SSN,
    "PHONE_NUMBER": IdentifierKind.PHONE,
    "IP_ADDRESS": IdentifierKind.IP_ADDRESS,
}


class Tally(NamedTuple):
    """Counts of what was found, missed and found wrongly."""

    hits: int = 0
    misses: int = 0
    false: int = 0

    @property
    def precision(self) -> float:
        """Return the share of finds that are right; 1 without finds."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else 1.0

    @property
    def recall(self) -> float:
        """Return the share of what there is that was found; 1 where there is nothing."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else 1.0

    @property
    def worse(self) -> float:
        """Return the lower one of precision and recall."""
        return min(self.precision, self.recall)


def found(kind: IdentifierKind, text: str) -> list[tuple[int, int]]:
    """Return the spans that a rule of this kind would report, with the usual evidence words."""
    return [
        (one.start, one.end)
        for one in find_identifiers(kind, text)
        if one.certain or _has_evidence(kind, text, one.start, one.end)
    ]


def fresh(kind: IdentifierKind, seed: int, count: int) -> Tally:
    """Return the tally on drawn texts, as many again with numbers that are to be refused."""
    corpus = PolicyCorpus(seed)
    tally = tally_of(kind, ((one.text, [one]) for one in corpus.sentences(kind.value, count)))
    if kind not in REFUSABLE:
        return tally
    wrong = sum(bool(found(kind, one.text)) for one in corpus.near_misses(kind.value, count))
    return tally._replace(false=tally.false + wrong)


def tally_of(kind: IdentifierKind, texts: Iterable[tuple[str, list[Marked]]]) -> Tally:
    """Return the tally of one kind on texts with all their identifiers of it."""
    hits = misses = false = 0
    for text, wanted in texts:
        spans = found(kind, text)
        right = [one for one in wanted if any(_on(one, span) for span in spans)]
        hits += len(right)
        misses += len(wanted) - len(right)
        false += sum(not any(_touches(one, span) for one in wanted) for span in spans)
    return Tally(hits, misses, false)


def disguises_caught(seed: int, count: int) -> Tally:
    """Return hits and misses on identifiers in disguise, `count` for each kind."""
    corpus = PolicyCorpus(seed)
    hits = misses = 0
    for kind in REFUSABLE:
        for _, one in corpus.disguised(kind.value, count):
            caught = any(_on(one, span) for span in found(kind, one.text))
            hits, misses = hits + caught, misses + (not caught)
    return Tally(hits, misses)


def false_hits(texts: Iterable[str], kinds: Iterable[IdentifierKind] = WITH_CHECKSUM) -> int:
    """Return how many certain finds of kinds with a checksum stand in texts without any."""
    kinds = tuple(kinds)
    return sum(
        one.certain for text in texts for kind in kinds for one in find_identifiers(kind, text)
    )


def presidio(path: Path) -> Iterator[tuple[str, dict[IdentifierKind, list[Marked]]]]:
    """Yield the texts of a corpus in Presidio's form with their identifiers by kind."""
    for item in json.loads(path.read_text("utf-8")):
        marked: dict[IdentifierKind, list[Marked]] = {}
        for span in item["spans"]:
            kind = PRESIDIO_KINDS.get(span["entity_type"])
            if kind is not None:
                place = (span["start_position"], span["end_position"])
                marked.setdefault(kind, []).append(Marked(item["full_text"], *place))
        yield item["full_text"], marked


def without_entities(path: Path) -> Iterator[str]:
    """Yield the texts of such a corpus with plain words for everything that was filled in."""
    for item in json.loads(path.read_text("utf-8")):
        yield re.sub(r"\{\{(\w+)\}\}", lambda match: match[1].lower(), item["masked"])


def recognizers(path: Path) -> Iterator[tuple[str, list[Marked]]]:
    """Yield the texts of a specification in the form of Recognizers-Text, with their finds."""
    for item in json.loads(path.read_text("utf-8")):
        text = item["Input"]
        wanted: list[Marked] = []
        place = 0
        for result in item["Results"]:
            start = text.lower().find(result["Text"].lower(), place)
            place = start + len(result["Text"])
            wanted.append(Marked(text, start, place))
        yield text, wanted


def _has_evidence(kind: IdentifierKind, text: str, start: int, end: int) -> bool:
    near = fold_term(text[max(start - _REACH, 0) : end + _REACH])
    return any(word in near for word in EVIDENCE.get(kind, ()))


def _on(one: Marked, span: tuple[int, int]) -> bool:
    """Tell whether a find lies on an identifier; marks that show nothing may end it."""
    return span[0] == one.start and one.end - _MIN_EDGE <= span[1] <= one.end


def _touches(one: Marked, span: tuple[int, int]) -> bool:
    return span[0] < one.end and one.start < span[1]
