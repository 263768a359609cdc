"""Hostile texts of growing length: four times the text takes about four times as long.

It does not hold any reading to a limit in seconds; lengths are compared within one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan
from contract.policy.incremental import DraftScanner

SHORT, LONG = 10_000, 40_000
SLACK = 3.0
FLOOR_S = 0.004
PIECES = (
    "4 ", "4111-", "1", "0", "a", "A", "é", "Η", "ΗA", "\u0301", "l", "o1", "de89 ", "d e 8 9 ",
    "us 0 3 7 ", "US0378", "U-", "B1", "one ", "four four four ", "一", "+1 (", "(020) ", "tel ",
    "phone 1 ", "call 1234567 ", "1.1.1.", "::", "1:", "a:", "2001:db8:", "ghp_", "xoxb-1",
    "eyJa.ey", "password is ", "password:", "key", "token ", "basic a", "a://b:", "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----", "<", "p<", "A1234567", "passport ", "12-34-", "1/1/",
    "2016-", "1,000,", "1'000'", "[.]", "1 dot ", "Ab1", "Ab1-", "%", "| ", "\n1", "> 4", "x1",
    "ab123", "=", "1=", "/1", "www.1", "://1",
)  # fmt: skip


def scan(text: str) -> None:
    """Read a text for everything there is to find."""
    one = IdentifierScan(text)
    for kind in IdentifierKind:
        one.find(kind)


def scan_as_draft(text: str) -> None:
    """Read a text as the composer does."""
    one = DraftScanner().scan(text)
    for kind in IdentifierKind:
        one.find(kind)


def took_s(work: Callable[[str], object], text: str) -> float:
    """Return the processor time of one reading in seconds: what others take does not count."""
    began = time.thread_time()
    work(text)
    return time.thread_time() - began


def is_linear(work: Callable[[str], object], piece: str) -> bool:
    """Tell whether a long text takes no more than its share of time; busy moments are forgiven."""
    for _ in range(4):
        short = min(took_s(work, (piece * SHORT)[:SHORT]) for _ in range(2))
        long = took_s(work, (piece * LONG)[:LONG])
        if long <= max(short, FLOOR_S) * (LONG / SHORT) * SLACK:
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_reading_is_linear(piece: str) -> None:
    assert is_linear(scan, piece)


@pytest.mark.parametrize("piece", ["Ab1. ", "4111 1111. ", "é. ", "tel 0123456789\n"])
def test_reading_a_draft_is_linear(piece: str) -> None:
    assert is_linear(scan_as_draft, piece)
