"""Disguised cards, accounts and terms: found, with the span on the user's own characters.

It does not test undisguised text.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contract.policy.bundle import CompiledBundle
from contract.policy.evaluate import evaluate
from contract.policy.model import Draft, Finding
from tests.contract.policy.conftest import consenting_facts

CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117")
IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "MA64011519000001205000534921")
TERMS = ("guaranteed", "risk-free", "garantiert", "元本保証", "加我微信", "保证收益")
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066\u034f\u180e"
DIGIT_ZEROS = "0０٠۰०０𝟎𝟘"
LATIN_ALIKE = str.maketrans("aeopcxi", "аеорсхі")


@st.composite
def disguised(draw: st.DrawFn, plain: str) -> str:
    """Return a text with invisible characters, other scripts' digits or full-width letters."""
    shown: list[str] = []
    for char in plain:
        if char.isascii() and char.isdigit():
            char = chr(ord(draw(st.sampled_from(DIGIT_ZEROS))) + int(char))
        elif char.isascii() and char.isalpha():
            wide = chr(ord(char) - 0x20 + 0xFF00)
            char = draw(st.sampled_from([char, char.upper(), wide, char.translate(LATIN_ALIKE)]))
        shown.append(char)
        shown.append(draw(st.sampled_from(["", "", *INVISIBLE])))
    return "".join(shown).rstrip(INVISIBLE)


@st.composite
def spaced(draw: st.DrawFn, plain: str, size: int) -> str:
    """Return a number in groups of one size, one separator between them all."""
    separator = draw(st.sampled_from([" ", "-", ".", "\u00a0", " - ", "\u2009", "·", "\u3000"]))
    return separator.join(plain[start : start + size] for start in range(0, len(plain), size))


def found(bundle: CompiledBundle, text: str, category: str) -> list[Finding]:
    """Return the findings of one category."""
    draft = Draft(text=text, conversation_id="c", channel="signal")
    findings = evaluate(bundle, consenting_facts(), draft).findings
    return [finding for finding in findings if finding.category == category]


@given(st.sampled_from(CARDS + IBANS).flatmap(disguised))
def test_disguised_numbers(bundle: CompiledBundle, number: str) -> None:
    text = f"😀 it is {number}, thanks"
    (finding,) = found(bundle, text, "Personal data")
    assert text[finding.start : finding.end] == number


@given(st.sampled_from(CARDS + IBANS).flatmap(lambda one: spaced(one, 1) | spaced(one, 4)))
def test_spaced_numbers(bundle: CompiledBundle, number: str) -> None:
    text = f"it is {number}, thanks"
    (finding,) = found(bundle, text, "Personal data")
    assert text[finding.start : finding.end] == number


@given(st.sampled_from(TERMS).flatmap(disguised))
def test_disguised_terms(bundle: CompiledBundle, term: str) -> None:
    text = f"😀 {term} "
    findings = found(bundle, text, "Fair communication") + found(bundle, text, "Off-channel")
    assert [text[one.start : one.end] for one in findings] == [term]


@given(st.sampled_from(["guaranteed", "garantiert"]).flatmap(lambda one: spaced(one, 1)))
def test_spelt_out_terms(bundle: CompiledBundle, term: str) -> None:
    text = f"it is {term} now"
    (finding,) = found(bundle, text, "Fair communication")
    assert text[finding.start : finding.end] == term
