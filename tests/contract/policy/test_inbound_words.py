"""Opting out by a client's own words, and the key under which texts count as one.

It does not test the shipped word lists.
"""

from __future__ import annotations

import pytest

from contract.policy.bundle import Side, compile_bundle
from contract.policy.opt_out import opt_out_match
from contract.policy.reach import reach_key
from tests.contract.policy.kinds import compiled, findings
from tests.support.policy_bundle import bundle_files

OFFER = "Hello {name}, our new income fund opens on {day} with a minimum of {amount} francs"


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        "*Stop!*",
        "ＳＴＯＰ",
        "st\u200bop",
        "STOP\n\nSent from my phone",
        "Hello,\nstop",
        "Please do not text me again",
        "退订",
    ],
)
def test_a_client_opts_out(text: str) -> None:
    assert opt_out_match(compiled(Side.SERVER), text, "sms") == "consent.words"


@pytest.mark.parametrize(
    "text", ["stop by on Monday", "nonstop", "", "\n", "Please stop the transfer", "\ud83d"]
)
def test_ordinary_words_are_no_opt_out(text: str) -> None:
    assert opt_out_match(compiled(Side.SERVER), text, "sms") is None


def test_channels_are_kept_to() -> None:
    files = bundle_files()
    rules = files["rules.yaml"].replace(
        b"kind: opt_out_words,", b"kind: opt_out_words, channels: [sms],"
    )
    bundle = compile_bundle(files | {"rules.yaml": rules})
    assert opt_out_match(bundle, "stop", "sms") == "consent.words"
    assert opt_out_match(bundle, "stop", "line") is None


def test_a_draft_is_never_taken_for_an_opt_out() -> None:
    assert findings("consent.words", "stop") == []


def test_texts_that_differ_in_names_and_figures_count_as_one() -> None:
    one = reach_key(OFFER.format(name="Hana", day="3 March", amount="5,000"))
    two = reach_key(OFFER.format(name="Marc", day="12 June", amount="20 000") + "  ")
    assert one == two != ""
    assert one != reach_key(OFFER.format(name="Hana", day="3 March", amount="5").replace("new", ""))
    shouted = [OFFER.format(name=name, day="3", amount="5").upper() for name in ("A", "B")]
    assert reach_key(shouted[0], ["A"]) != ""


def test_a_japanese_salutation_is_left_out() -> None:
    body = "新しい投資信託のご案内です。来月から募集を開始いたしますので、ご確認ください。"
    assert reach_key("渡辺様、" + body) == reach_key("佐藤様、" + body) != ""


def test_short_texts_are_nobodys_communication_to_the_public() -> None:
    assert reach_key("Thank you!") == reach_key("") == reach_key("12345") == ""
