"""Each kind of identifier by example: what is found, as typed, and what is not.

It does not measure shares; test_corpora.py does.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import cusip, isin, lei
from stdnum.gb import sedol
from stdnum.us import ssn

from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan, find_identifiers
from contract.policy.national_ids import ssn_is_issued
from contract.policy.securities import (
    cusip_checksum_holds,
    isin_checksum_holds,
    lei_checksum_holds,
    sedol_checksum_holds,
)
from tests.support.pattern_samples import secret_samples
from tests.support.vectors import require_vectors

ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyz"
CONSONANTS = "0123456789bcdfghjklmnpqrstvwxyz"


def certain(kind: str, text: str) -> list[str]:
    """Return the finds of one kind that stand alone, as typed."""
    found = find_identifiers(IdentifierKind(kind), text)
    return [text[one.start : one.end] for one in found if one.certain]


def uncertain(kind: str, text: str) -> list[str]:
    """Return the finds of one kind that need evidence words, as typed."""
    found = find_identifiers(IdentifierKind(kind), text)
    return [text[one.start : one.end] for one in found if not one.certain]


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("payment_card", "4111/1111/1111/1111"),
        ("payment_card", "4111 . 1111 . 1111 . 1111"),
        ("payment_card", "4 1 1 1-1 1 1 1-1 1 1 1-1 1 1 1"),
        ("payment_card", "4111\n> 1111\n> 1111\n> 1111"),
        ("payment_card", "4lll 1111 llll 1111"),
        ("payment_card", "⁴¹¹¹ ¹¹¹¹ ¹¹¹¹ ¹¹¹¹"),
        ("payment_card", "❹❶❶❶❶❶❶❶❶❶❶❶❶❶❶❶"),
        ("payment_card", "four one one one " + "one " * 11 + "one"),
        ("payment_card", "四一一一一一一一一一一一一一一一"),
        ("iban", "DE89 37O4 0044 0532 O130 00"),
        ("iban", "GВ29 NWВK 6016 1331 9268 19"),  # Cyrillic В
        ("iban", "ḌẸ89370400440532013000"),
        ("us_ssn", "536-90-4399"),
        ("us_ssn", "536 90 4399"),
        ("us_ssn", "５３６－９０－４３９９"),
        ("us_ssn", "53б-9O-4399".replace("б", "6")),
        ("uk_nino", "AB123456C"),
        ("uk_nino", "ab 12 34 56 c"),
        ("uk_nino", "AB/12/34/56/C"),
        ("isin", "US0378331005"),
        ("isin", "US 037833100 5"),
        ("isin", "u s 0 3 7 8 3 3 1 0 0 5"),
        ("cusip", "38259P508"),
        ("cusip", "38259P 50 8"),
        ("sedol", "B0YBKJ7"),
        ("lei", "5493001KJTIIGC8Y1R12"),
        ("lei", "5493 001K JTII GC8Y 1R12"),
        ("phone", "+41 44 668 18 00"),
        ("phone", "(020) 7946 0958"),
        ("phone", "+1-541-754-3010 x12"),
        ("ip_address", "192.168.1.20"),
        ("ip_address", "192[.]168[.]1[.]20"),
        ("ip_address", "2001:db8::8a2e:370:7334"),
        ("secret", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
        ("secret", "xoxb-123456789012-1234567890123-4mt0t4l1yf3k3t0k3n"),
    ],
)
def test_found_as_typed(kind: str, typed: str) -> None:
    assert certain(kind, f"so: {typed} thanks") == [typed]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("isin", "the folder adultsUser36 is gone"),
        ("isin", "call me AT 5403926876 or at 5403926875"),
        ("isin", "US0378331006"),
        ("cusip", "38259P509 is none"),
        ("uk_nino", "QQ123456C and GB123456A and DA123456A"),
        ("us_ssn", "000-12-3456 and 666-12-3456 and 912-12-3456 and 536-00-4399"),
        ("us_ssn", "order 536-90-43991 and 1-536-90-4399"),
        ("lei", "5493001KJTIIGC8Y1R13"),
        ("ip_address", "version 1.2.3.4 at 10:42:07, 256.1.1.1, section 4.1.2.3"),
        ("phone", "on 2026-11-21, 16.04.2010, 9/19/1963 and 20000803"),
        ("phone", "USD 12 345 678 and 1,234,567.00 and 45 000 000 shares"),
        ("phone", "order no. 5403926876 and account 5403926876"),
        ("phone", "from 14:30 to 16:45, results 2016 2017 2018"),
        ("payment_card", "https://example.com/news/565107008791?page=3"),
        ("payment_card", "order 670479493223 is done"),
        ("payment_card", "trace b238b412-6452-0135-b44e-a30c failed"),
        ("iban", "it rolled over, thanks. bid 140.02 / ask 141"),
        ("secret", "the password is on the card; the key point is simple, token: none"),
        ("secret", "see Q3_FY2026_Report_v12.pdf and https://example.com/a/2026/11/report-2"),
    ],
)
def test_not_found(kind: str, text: str) -> None:
    assert certain(kind, text) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("us_ssn", "536904399"),
        ("cusip", "037833100"),
        ("sedol", "0263494"),
        ("sedol", "b0ybkj7"),
        ("passport", "C01X00T47"),
        ("isin", "EZN3FKUATCU3"),
    ],
)
def test_bare_forms_wait_for_evidence(kind: str, text: str) -> None:
    assert certain(kind, f"it is {text} ok") == []
    assert uncertain(kind, f"it is {text} ok") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "Passport: 123456789",
        "my passport no. is X1234567",
        "Reisepass C01X00T47",
        "护照号码 E12345678",
    ],
)
def test_a_passport_number_right_after_its_name_needs_no_more(text: str) -> None:
    assert len(certain("passport", text)) == 1


def test_a_machine_readable_zone_is_a_passport() -> None:
    line = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
    assert certain("passport", f"scan: {line}") == [line[:28]]


@pytest.mark.parametrize(
    "text",
    [
        "password: Tr0ub4dor&3",
        "Passwort ist Geheim!2026",
        "密码是 hunter2026",
        "api_key = 'q8Zr41LmX9v2Tb7Kc3Wd'",
        "postgres://app:s3cretpw@db.internal/x",
        "Authorization: Bearer 9f8e7d6c5b4a39281706f5e4d3c2b1a0ff",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW",
    ],
)
def test_secrets_by_name_or_form(text: str) -> None:
    assert len(certain("secret", f"so {text} ok")) == 1


def test_most_forms_of_secrets_that_others_describe_are_found() -> None:
    path = require_vectors("policy/gitleaks.toml")
    seed = random.SystemRandom().randrange(10**6)
    samples = list(secret_samples(path, seed, 3))
    missed = [name for name, one in samples if not certain("secret", f"use {one} for it")]
    assert len(samples) > 500
    assert len(missed) / len(samples) <= 0.25, (seed, sorted(set(missed)))


def test_a_number_is_told_once_by_its_strongest_kind() -> None:
    text = "call +41 44 668 18 00 or pay DE89 3704 0044 0532 0130 00 by 4111 1111 1111 1111"
    assert certain("phone", text) == ["+41 44 668 18 00"]
    assert certain("payment_card", text) == ["4111 1111 1111 1111"]
    assert certain("iban", text) == ["DE89 3704 0044 0532 0130 00"]


def test_spans_lie_on_the_typed_characters() -> None:
    text = "😀 4️⃣1️⃣1️⃣1️⃣\u200b ١١١١ 1111 1111!"
    (one,) = find_identifiers(IdentifierKind.PAYMENT_CARD, text)
    assert text[one.start : one.end] == text[2:-1]
    assert one.value == "4111111111111111"


def test_regions_decide_on_national_numbers() -> None:
    text = "4712345678"
    kind = IdentifierKind.PHONE
    assert find_identifiers(kind, text, regions=("NO",)) == []
    assert find_identifiers(kind, "0412 345 678", regions=("AU",)) != []


@given(st.text())
def test_any_text_can_be_scanned(text: str) -> None:
    scan = IdentifierScan(text)
    for kind in IdentifierKind:
        for one in scan.find(kind):
            assert 0 <= one.start < one.end <= len(scan.normalised.text)


@given(st.text(ALPHANUMERIC, min_size=18, max_size=18), st.integers(0, 99))
def test_check_digits_agree_with_another_implementation(body: str, check: int) -> None:
    assert isin_checksum_holds(f"us{body[:9]}{check % 10}") == isin.is_valid(
        f"US{body[:9]}{check % 10}".upper()
    )
    assert cusip_checksum_holds(f"{body[:8]}{check % 10}") == cusip.is_valid(
        f"{body[:8]}{check % 10}"
    )
    assert lei_checksum_holds(f"{body}{check:02}") == lei.is_valid(f"{body}{check:02}".upper())


@given(st.text(CONSONANTS, min_size=5, max_size=5), st.integers(0, 9))
def test_sedol_check_digits_agree(body: str, check: int) -> None:
    assert sedol_checksum_holds(f"b{body}{check}") == sedol.is_valid(f"B{body}{check}")


@given(st.integers(0, 999_999_999))
def test_issued_social_security_numbers_agree(number: int) -> None:
    digits = f"{number:09}"
    assert ssn_is_issued(digits) == ssn.is_valid(f"{digits[:3]}-{digits[3:5]}-{digits[5:]}")
