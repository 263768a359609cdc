"""Measures what the composer's policy hint costs at a keystroke.

It never decides twice on the same text: each keystroke adds a character.
"""

from __future__ import annotations

import random
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
_PHRASES = (
    "the portfolio review on Tuesday could we move 3.5 % into bonds",
    "regards thank you call me at 14:30 quarterly report attached Zürich office fees 1,250.00 CHF",
    "来週 の 会議 について please confirm receipt of 20 units order number 88213407",
    "account statement +41 44 555 01 99",
)

LINES = (
    Line(
        "policy hint, keystroke at 200 characters, p99",
        "ms",
        at_most(2),
        f"the sample bundle on a seeded draft, its last 200 keystrokes in each of"
        f" {KEYSTROKES // 200} drafts",
    ),
    Line(
        "policy hint, keystroke at 2 400 characters, p99",
        "ms",
        at_most(8),
        f"the same, the last 200 keystrokes of {KEYSTROKES // 200} drafts",
    ),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES; no file is written."""
    engine = HintEngine(compile_bundle(_bundle(), Side.CLIENT))
    people = (contact("c-1", "Hana"),)
    chat = conversation("v-1", contacts=("c-1",))
    for length in (200, 2_400):
        drafts = [_draft(length, number) for number in range(KEYSTROKES // 200)]
        checks = [
            partial(engine.check, chat, people, draft[:end], START_UTC_MS)
            for draft in drafts
            for end in range(length - 199, length + 1)
        ]
        yield percentile(each_s(checks), 99) * MS


def _bundle() -> dict[str, bytes]:
    folder = ROOT / "resources" / "policy"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in {".yaml", ".csv"}
    }


def _draft(length: int, number: int) -> str:
    chance = random.Random(SEED + number)
    text = ""
    while len(text) < length:
        words = chance.choice(_PHRASES).split()
        text += " ".join(chance.sample(words, chance.randint(1, len(words)))) + " "
    return text[:length]


GROUP = Group(LINES, measure)
