"""Words behind figures, signs and cuts: read as they are meant, told at the places as written.

It does not test other alphabets' look-alikes or words spelt out letter by letter with spaces.
"""

from __future__ import annotations

import time

import pytest

from contract.policy.bundle import CompiledBundle
from contract.policy.disguised_words import second_readings
from tests.contract.policy.test_evasion import found

KNOWN = frozenset({"hello", "whatsapp", "a", "aa"})


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("find me on wh@tsapp today", "find me on wh@tsapp"),
        ("Message me on wh4tsapp.", "Message me on wh4tsapp"),
        ("use my private Gma1l!", "my private Gma1l"),
        ("send it to my g-mail.", "to my g-mail"),
        ("ping me on whats-app", "ping me on whats-app"),
        ("ping me on t.e.l.e.g.r.a.m now", "ping me on t.e.l.e.g.r.a.m"),
        ("find me on te1egram", "find me on te1egram"),
        ("jane dot doe at gmail dot com", "at gmail dot com"),
        ("ping me on WA", "ping me on WA"),
        ("ping me on TG", "ping me on TG"),
        ("send it to your private e-mail", "your private e-mail"),
        ("schreib mir aufs Privathandy", "aufs Privathandy"),
        ("加我wechat", "加我wechat"),
        ("请加我薇信", "加我薇信"),
        ("加我V：jane88", "加我V"),
        ("ラインで連絡してください", "ラインで連絡"),
    ],
)
def test_disguised_words_are_found_where_they_stand(
    bundle: CompiledBundle, text: str, span: str
) -> None:
    assert span in [text[one.start : one.end] for one in found(bundle, text, "Off-channel")]


@pytest.mark.parametrize(
    "text",
    [
        "オンラインで連絡してください",
        "ホットラインで連絡を受けました",
        "这会增加我们的威信",
        "The follow-up on the Q3 e-mail is for 10:30, CHF 1.5m at 3.2%",
    ],
)
def test_ordinary_words_stay_ordinary(bundle: CompiledBundle, text: str) -> None:
    assert found(bundle, text, "Off-channel") == []


def test_a_text_without_disguised_words_has_no_other_reading() -> None:
    assert list(second_readings("follow-up in 2026, 10.50, a gift of $300!", KNOWN)) == []


@pytest.mark.parametrize("unit", ["a-", "4a", "h3llo ", "wh4tsapp ", "-a b", "@" * 9 + "a"])
def test_the_time_grows_with_the_text_alone(unit: str) -> None:
    started_s = time.thread_time()
    assert all(one.words for one in second_readings(unit * (100_000 // len(unit)), KNOWN))
    assert time.thread_time() - started_s < 2
