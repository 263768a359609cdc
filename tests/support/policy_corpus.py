"""Makes up texts with identifiers in them, ordinary ones without, and disguises, from a seed.

It never uses the code under test: numbers are drawn and their check digits worked out here.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

import phonenumbers
from stdnum import cusip, isin, luhn
from stdnum.gb import sedol
from stdnum.iso7064 import mod_97_10

from tests.support import policy_prose
from tests.support.disguises import DISGUISES, kinds_of

CONSONANTS = "BCDFGHJKLMNPQRSTVWXYZ"
ALPHANUMERIC = string.digits + string.ascii_uppercase
PHONE_REGIONS = ("US", "GB", "DE", "FR", "CH", "IT", "ES", "NL", "SE", "AU", "SG", "HK", "IN", "JP")


class Marked(NamedTuple):
    """A text with one identifier from `start` to `end`, or none where both are 0."""

    text: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """Return the identifier as typed."""
        return self.text[self.start : self.end]


class PolicyCorpus:
    """Draws texts from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def sentences(self, kind: str, count: int) -> Iterator[Marked]:
        """Yield texts with one identifier of a kind each, laid out in the usual ways."""
        for _ in range(count):
            yield self.place(self.identifier(kind), policy_prose.CARRIERS[kind])

    def near_misses(self, kind: str, count: int) -> Iterator[Marked]:
        """Yield the same with a number of the kind's form that its check or its issuer refuses."""
        for _ in range(count):
            yield self.place(self.wrong(kind), policy_prose.CARRIERS[kind])

    def identifier(self, kind: str) -> str:
        """Return one valid identifier in one of its usual layouts."""
        return _MAKERS[kind](self.chance)

    def wrong(self, kind: str) -> str:
        """Return an identifier with its check digit changed, or from a range never issued."""
        chance = self.chance
        if kind == "us_ssn":
            area = chance.choice(["000", "666", f"{chance.randrange(900, 1000)}"])
            return f"{area}-{chance.randrange(1, 100):02}-{chance.randrange(1, 10000):04}"
        if kind == "uk_nino":
            prefix = chance.choice(["DA", "FZ", "QQ", "UB", "GB", "NK", "TN", "ZZ", "BO", "AV"])
            return f"{prefix}{_digits(chance, 6)}{chance.choice('ABCD')}"
        value = self.identifier(kind)
        place = max(index for index, char in enumerate(value) if char.isdigit())
        other = str((int(value[place]) + chance.randrange(1, 10)) % 10)
        return value[:place] + other + value[place + 1 :]

    def disguised(self, kind: str, count: int) -> Iterator[tuple[str, Marked]]:
        """Yield texts with an identifier in disguise, each with the name of the disguise."""
        fitting = [one for one in DISGUISES if not kinds_of(one) or kind in kinds_of(one)]
        for number in range(count):
            disguise = fitting[number % len(fitting)]
            value = self.identifier(kind)
            if kind != "us_ssn":
                value = "".join(char for char in value if char.isalnum())
            shown = disguise(self.chance, value)
            yield disguise.__name__, self.place(shown, policy_prose.CARRIERS[kind])

    def place(self, value: str, carriers: tuple[str, ...]) -> Marked:
        """Return a value inside one of the sentences, with prose before and after."""
        before, _, after = self.chance.choice(carriers).partition("{}")
        lead = self.prose() + " " if self.chance.random() < 0.5 else ""
        tail = " " + self.prose() if self.chance.random() < 0.5 else ""
        start = len(lead) + len(before)
        return Marked(lead + before + value + after + tail, start, start + len(value))

    def prose(self) -> str:
        """Return a sentence without figures."""
        return policy_prose.sentence(self.chance)

    def ordinary(self, count: int) -> Iterator[str]:
        """Yield messages as clients and managers write them, with figures but no identifiers."""
        for _ in range(count):
            yield " ".join(
                policy_prose.ordinary(self.chance) for _ in range(self.chance.randint(1, 4))
            )


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(string.digits, k=count))


def _grouped(value: str, sizes: tuple[int, ...], separator: str) -> str:
    parts: list[str] = []
    place = 0
    for size in sizes:
        parts.append(value[place : place + size])
        place += size
    return separator.join(part for part in (*parts, value[place:]) if part)


_CARD_RANGES = (
    ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
    ("6011", 16), ("65", 16), ("3528", 16), ("36", 14), ("305", 14), ("62", 16), ("62", 19),
)  # fmt: skip


def _card(chance: random.Random) -> str:
    prefix, length = chance.choice(_CARD_RANGES)
    body = prefix + _digits(chance, length - len(prefix) - 1)
    number = body + luhn.calc_check_digit(body)
    sizes = {14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3)}[length]
    return _grouped(number, sizes, chance.choice(["", " ", "-"]))


_BBAN = {
    "DE": "18n", "GB": "4a14n", "FR": "10n11c2n", "CH": "5n12c", "NL": "4a10n", "ES": "20n",
    "IT": "1a10n12c", "BE": "12n", "AT": "16n", "PL": "24n", "SE": "20n", "NO": "11n",
    "AE": "19n", "SA": "2n18c", "LU": "3n13c", "IE": "4a14n", "PT": "21n", "BR": "23n1a1c",
}  # fmt: skip


def _iban(chance: random.Random) -> str:
    country = chance.choice(list(_BBAN))
    bban, number = "", ""
    for char in _BBAN[country]:
        if char.isdigit():
            number += char
            continue
        pool = {"n": string.digits, "a": string.ascii_uppercase, "c": ALPHANUMERIC}[char]
        bban += "".join(chance.choices(pool, k=int(number)))
        number = ""
    value = country + mod_97_10.calc_check_digits(bban + country) + bban
    return _grouped(value, (4,) * (len(value) // 4), chance.choice(["", " "]))


def _ssn(chance: random.Random) -> str:
    area = chance.choice([one for one in range(1, 900) if one != 666])
    return f"{area:03}-{chance.randrange(1, 100):02}-{chance.randrange(1, 10_000):04}"


def _nino(chance: random.Random) -> str:
    while True:
        prefix = chance.choice("ABCEGHJKLMNOPRSTWXYZ") + chance.choice("ABCEGHJKLMNPRSTWXYZ")
        if prefix not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}:
            break
    value = prefix + _digits(chance, 6) + chance.choice("ABCD")
    return _grouped(value, (2, 2, 2, 2, 1), chance.choice(["", " "]))


def _isin(chance: random.Random) -> str:
    country = chance.choice(["US", "GB", "DE", "FR", "CH", "XS", "JP", "IE", "LU", "EZ", "KR"])
    if country == "US":
        body = _cusip(chance)
    elif country == "EZ":
        body = "".join(chance.choices(ALPHANUMERIC, k=7)) + _digits(chance, 2)
    else:
        letters = "".join(chance.choices(ALPHANUMERIC, k=2))
        body = letters + _digits(chance, 7)
    return country + body + isin.calc_check_digit(country + body)


def _cusip(chance: random.Random) -> str:
    body = _digits(chance, 3) + "".join(chance.choices(ALPHANUMERIC, k=3)) + _digits(chance, 2)
    return body + cusip.calc_check_digit(body)


def _sedol(chance: random.Random) -> str:
    if chance.random() < 0.3:
        body = _digits(chance, 6)
    else:
        body = "B" + "".join(chance.choices(CONSONANTS + string.digits, k=5))
    return body + sedol.calc_check_digit(body)


def _lei(chance: random.Random) -> str:
    body = _digits(chance, 4) + "00" + "".join(chance.choices(ALPHANUMERIC, k=12))
    return body + mod_97_10.calc_check_digits(body)


def _phone(chance: random.Random) -> str:
    formats = phonenumbers.PhoneNumberFormat
    while True:
        region = chance.choice(PHONE_REGIONS)
        kind = chance.choice(
            [phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]
        )
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        national = str(example.national_number)
        drawn = national[:4] + _digits(chance, len(national) - 4)
        number = phonenumbers.parse(drawn, region)
        if phonenumbers.is_valid_number(number):
            form = chance.choice([formats.INTERNATIONAL, formats.NATIONAL, formats.E164])
            return phonenumbers.format_number(number, form)


def _ip_address(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return ":".join(f"{chance.randrange(65536):x}" for _ in range(8))
    return ".".join(str(chance.randrange(256)) for _ in range(4))


def _passport(chance: random.Random) -> str:
    return chance.choice(
        [
            _digits(chance, 9),
            chance.choice(string.ascii_uppercase) + _digits(chance, 8),
            "".join(chance.choices(string.ascii_uppercase, k=2)) + _digits(chance, 7),
            chance.choice("CFGHJK") + _digits(chance, 2) + chance.choice("XT") + _digits(chance, 5),
        ]
    )


def _secret(chance: random.Random) -> str:
    words = string.ascii_letters + string.digits
    upper = string.ascii_uppercase + "234567"
    return chance.choice(
        [
            "AKIA" + "".join(chance.choices(upper, k=16)),
            "ghp_" + "".join(chance.choices(words, k=36)),
            f"xoxb-{_digits(chance, 12)}-{_digits(chance, 12)}-"
            + "".join(chance.choices(words, k=24)),
            "sk_live_" + "".join(chance.choices(words, k=24)),
            "AIza" + "".join(chance.choices(words, k=35)),
            "glpat-" + "".join(chance.choices(words, k=20)),
            "eyJhbGciOiJIUzI1NiJ9.eyJ" + "".join(chance.choices(words, k=40)) + "."
            + "".join(chance.choices(words, k=43)),
        ]
    )  # fmt: skip


_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "payment_card": _card,
    "iban": _iban,
    "us_ssn": _ssn,
    "uk_nino": _nino,
    "isin": _isin,
    "cusip": _cusip,
    "sedol": _sedol,
    "lei": _lei,
    "phone": _phone,
    "ip_address": _ip_address,
    "passport": _passport,
    "secret": _secret,
}
