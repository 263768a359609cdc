"""Measures how well identifiers are found: on the shared corpora, on drawn texts, in disguise.

It never repeats a seed: each run draws its own and names it, so that nothing is tuned to one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from contract.policy.identifier_kinds import IdentifierKind
from tests.benchmarks.lines import Group, Line, at_least, at_most
from tests.support.policy_corpus import PolicyCorpus
from tests.support.policy_figures import (
    PRESIDIO_KINDS,
    REFUSABLE,
    Tally,
    disguises_caught,
    false_hits,
    fresh,
    presidio,
    recognizers,
    tally_of,
)
from tests.support.vectors import vectors_dir

SEED = int(os.environ.get("PARLEY_SEED") or random.SystemRandom().randrange(10**9))
DRAWN, DISGUISED, ORDINARY = 1_000, 210, 20_000
_PER = 100_000
_SYNTHETIC = "policy/presidio_synth_v2.json"
_PHONES = "policy/recognizers_phone_en.json"
_PHONE_GOAL, _GOAL = 0.95, 0.99

Take = Callable[[], float]


def _lines_and_takes() -> Iterator[tuple[Line, Take]]:
    for kind in REFUSABLE:
        how = f"{DRAWN} drawn texts with one and {DRAWN} with one to refuse, seed {SEED}"
        yield from _both(f"{kind.value}, drawn texts", _GOAL, how, _drawn(kind))
    how = f"{DRAWN} drawn texts of 14 countries' numbers, seed {SEED}"
    phone = IdentifierKind.PHONE
    yield from _both("phone, drawn texts", _PHONE_GOAL, how, _drawn(phone))
    if (vectors_dir() / _PHONES).exists():
        how = "the shared specification of phone numbers in English texts"
        yield from _both("phone, specification", _PHONE_GOAL, how, _specified)
    if (vectors_dir() / _SYNTHETIC).exists():
        for entity, kind in PRESIDIO_KINDS.items():
            goal = _PHONE_GOAL if kind is phone else _GOAL
            how = f"{entity} in the shared synthetic texts"
            yield from _both(f"{kind.value}, shared texts", goal, how, _shared(kind))
    yield (
        Line(
            "false numbers with a checksum in ordinary texts",
            "per 100k",
            at_most(5),
            f"{ORDINARY} drawn messages with figures of everyday business, seed {SEED}",
        ),
        lambda: false_hits(PolicyCorpus(SEED).ordinary(ORDINARY)) * _PER / ORDINARY,
    )
    yield (
        Line(
            "identifiers in disguise that are found",
            "share",
            at_least(0.98),
            f"{DISGUISED} of each kind in 14 disguises, the span on the user's own characters,"
            f" seed {SEED}",
        ),
        lambda: disguises_caught(SEED, DISGUISED).recall,
    )


def _both(
    name: str, goal: float, how: str, take: Callable[[], Tally]
) -> Iterator[tuple[Line, Take]]:
    """Yield the lines of precision and recall, from one tally."""
    kept: list[Tally] = []

    def precision() -> float:
        kept.append(take())
        return kept[0].precision

    yield Line(f"{name}, precision", "share", at_least(goal), how), precision
    yield Line(f"{name}, recall", "share", at_least(goal), how), lambda: kept[0].recall


def _drawn(kind: IdentifierKind) -> Callable[[], Tally]:
    return lambda: fresh(kind, SEED, DRAWN)


def _shared(kind: IdentifierKind) -> Callable[[], Tally]:
    def take() -> Tally:
        texts = presidio(vectors_dir() / _SYNTHETIC)
        return tally_of(kind, ((text, marked.get(kind, [])) for text, marked in texts))

    return take


def _specified() -> Tally:
    return tally_of(IdentifierKind.PHONE, recognizers(vectors_dir() / _PHONES))


_ALL = tuple(_lines_and_takes())
LINES = tuple(line for line, _ in _ALL)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES; no file is written."""
    for _, take in _ALL:
        yield take()


GROUP = Group(LINES, measure)
