"""Measures a keystroke's hint against Presidio's patterns on the same texts, in one run.

It has no line where Presidio is not installed: it is no dependency of the project.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from app.hints.engine import HintEngine
from contract.policy.bundle import Side, compile_bundle
from tests.app.store.values import START_UTC_MS, contact, conversation
from tests.benchmarks import hints
from tests.benchmarks.lines import Group, Line, at_least

_ROUNDS = 120
_SEEDS = (3, 4, 5)
_AT_LEAST = 20
_HERE = importlib.util.find_spec("presidio_analyzer") is not None

LINES = (
    (
        Line(
            "policy hint, medians: Presidio's to ours at 10,000 terms",
            "times",
            at_least(_AT_LEAST),
            f"{len(_SEEDS)} drafts of {_ROUNDS} keystrokes at 200 characters, each typed to the one"
            " and then to the other: Presidio's predefined patterns and its 10,000 terms as a deny"
            " list; our whole decision on the sample bundle and them",
        ),
    )
    if _HERE
    else ()
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES; no file is written."""
    if not _HERE:
        return
    files = hints.bundle_of(hints.SMALL)
    engine = HintEngine(compile_bundle(files, Side.CLIENT))
    theirs = _presidio(hints.made_up_terms(hints.SMALL))
    people = (contact("c-1", "Hana"),)
    chat = conversation("v-1", contacts=("c-1",))
    ours_s: list[float] = []
    theirs_s: list[float] = []
    for seed in _SEEDS:
        texts = list(hints.typed(hints.draft(200, seed), _ROUNDS))
        ours_s += [_took_s(partial(engine.check, chat, people, t, START_UTC_MS)) for t in texts]
        theirs_s += [_took_s(partial(theirs, text)) for text in texts]
    yield median(theirs_s) / median(ours_s)


def _presidio(terms: list[str]) -> Callable[[str], object]:
    """Return a function that runs Presidio's predefined patterns and a list of terms."""
    analyzer: Any = importlib.import_module("presidio_analyzer")
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    registry = analyzer.RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    recognizers = [
        one
        for one in registry.recognizers
        if isinstance(one, analyzer.PatternRecognizer) or "Phone" in type(one).__name__
    ]
    recognizers.append(
        analyzer.PatternRecognizer(supported_entity="TERM", name="terms", deny_list=terms)
    )
    return lambda text: [one.analyze(text, one.supported_entities, None) for one in recognizers]


def _took_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


GROUP = Group(LINES, measure)
