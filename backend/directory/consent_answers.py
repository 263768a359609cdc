"""Owns the words with which clients answer a question of consent, in each language it is asked in.

It never reads an answer into a longer message, and it does not know what was asked.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from contract.policy.normalise import fold_term

_LONGEST_CHARS = 80


class Answer(StrEnum):
    """What a client says: yes, no, or that messages may come again after an opt-out."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    AGAIN = "again"


def answer_in(text: str) -> Answer | None:
    """Return the answer that a message is as a whole; None for one that says more than that."""
    return None if len(text) > _LONGEST_CHARS else _words().get(_bare(text))


@functools.lru_cache(maxsize=1)
def _words() -> Mapping[str, Answer]:
    import resources

    path = Path(resources.__file__).parent / "consent" / "answers.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {_bare(row["word"]): Answer(row["answer"]) for row in csv.DictReader(file)}


def _bare(text: str) -> str:
    """Return folded words with single spaces and without signs, as "yes" from "*YES!*"."""
    kept = "".join(char if char.isalnum() else " " for char in fold_term(text))
    return " ".join(kept.split())
