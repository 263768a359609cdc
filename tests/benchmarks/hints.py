"""Measures what the composer's policy hint costs at a keystroke, and a large bundle at its start.

It never decides twice on the same text: each keystroke changes a character.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from app.hints.engine import HintEngine
from contract.policy.bundle import Side, compile_bundle
from tests.app.store.values import START_UTC_MS, contact, conversation
from tests.benchmarks.lines import Group, Line, at_most
from tests.benchmarks.measuring import MS, SEED, each_s, percentile
from tests.support.surroundings import ROOT

KEYSTROKES = 400
SMALL, LARGE = 10_000, 100_000
_MIB = 1024 * 1024
_PHRASES = (
    "the portfolio review on Tuesday could we move 3.5 % into bonds",
    "regards thank you call me at 14:30 quarterly report attached Zürich office fees 1,250.00 CHF",
    "来週 の 会議 について please confirm receipt of 20 units order number 88213407",
    "account statement +41 44 555 01 99",
)
_LEXICON = "lexicons/benchmark.csv"
_RULE = f"""
  - id: benchmark.terms
    kind: lexicon
    terms: [{_LEXICON}]
    action: hint
    message: promissory
    category: Benchmark
"""
_SYLLABLES = (
    "ka",
    "ro",
    "mi",
    "ten",
    "sul",
    "per",
    "vo",
    "lan",
    "che",
    "dri",
    "über",
    "qui",
    "的",
    "会",
)


def _line(what: str, goal_ms: float, terms: int, how: str) -> Line:
    return Line(f"policy hint, {what}, {terms:,} terms, p99", "ms", at_most(goal_ms), how)


LINES = (
    *(
        line
        for terms in (SMALL, LARGE)
        for line in (
            _line(
                "keystroke at 200 characters",
                2,
                terms,
                f"the sample bundle with made-up terms on a seeded draft, its last 200 keystrokes"
                f" in each of {KEYSTROKES // 200} drafts",
            ),
            _line(
                "keystroke in 2 400 characters",
                8,
                terms,
                "the same bundle, 200 keystrokes at the end and 200 in the middle of a long draft",
            ),
        )
    ),
    Line(
        "policy bundle, 100,000 terms, loading",
        "s",
        at_most(5),
        "compiling the files to a bundle, off the window's thread",
    ),
    Line(
        "policy bundle, 100,000 terms, memory",
        "MiB",
        at_most(120),
        "what Python allocated for it and kept, without the automaton's own memory",
    ),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES; no file is written."""
    for terms in (SMALL, LARGE):
        engine = HintEngine(compile_bundle(bundle_of(terms), Side.CLIENT))
        yield _p99_ms(engine, [typed(draft(200, number), 200) for number in range(2)])
        long = draft(2_400, 7)
        yield _p99_ms(engine, [typed(long, 200), _edited(long, 200)])
    files = bundle_of(LARGE)
    began = time.perf_counter()
    compile_bundle(files, Side.CLIENT)
    yield time.perf_counter() - began
    tracemalloc.start()
    kept = compile_bundle(files, Side.CLIENT)
    yield tracemalloc.get_traced_memory()[0] / _MIB
    tracemalloc.stop()
    del kept


def _p99_ms(engine: HintEngine, drafts: list[list[str]]) -> float:
    people = (contact("c-1", "Hana"),)
    chat = conversation("v-1", contacts=("c-1",))
    checks = [
        partial(engine.check, chat, people, text, START_UTC_MS)
        for states in drafts
        for text in states
    ]
    return percentile(each_s(checks), 99) * MS


def typed(text: str, keystrokes: int) -> list[str]:
    """Return the states of a draft while its last characters are typed."""
    return [text[:end] for end in range(len(text) - keystrokes + 1, len(text) + 1)]


def _edited(text: str, keystrokes: int) -> list[str]:
    """Return the states of a draft while a sentence is typed in its middle."""
    middle = len(text) // 2
    added = draft(keystrokes, 11)
    return [text[:middle] + added[:end] + text[middle:] for end in range(1, keystrokes + 1)]


def bundle_of(terms: int) -> dict[str, bytes]:
    """Return the sample bundle's files with one more lexicon of that many made-up terms."""
    folder = ROOT / "resources" / "policy"
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in {".yaml", ".csv"}
    }
    rows = "".join(f"{term},en\n" for term in made_up_terms(terms))
    files[_LEXICON] = f"term,language\n{rows}".encode()
    files["rules.yaml"] += _RULE.encode()
    return files


def made_up_terms(count: int) -> list[str]:
    """Return so many different terms of one to three words, the same each time."""
    chance = random.Random(SEED)
    terms: set[str] = set()
    while len(terms) < count:
        words = ("".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(3))
        terms.add(" ".join(list(words)[: chance.randint(1, 3)]))
    return sorted(terms)


def draft(length: int, number: int) -> str:
    """Return a drawn draft of that many characters; equal numbers give equal drafts."""
    chance = random.Random(SEED + number)
    text = ""
    while len(text) < length:
        words = chance.choice(_PHRASES).split()
        text += " ".join(chance.sample(words, chance.randint(1, len(words)))) + " "
    return text[:length]


GROUP = Group(LINES, measure)
