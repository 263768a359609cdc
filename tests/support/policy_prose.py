"""Owns the sentences that made-up policy texts consist of, with and without figures.

It never holds an identifier: places for one are marked with braces.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

_SUBJECTS = (
    "the portfolio review", "our call", "the quarterly report", "your mandate", "the fund",
    "the meeting in Zürich", "the term sheet", "the pension plan", "my colleague", "the bond",
)  # fmt: skip
_VERBS = (
    "went well", "is attached", "needs a signature", "has moved to Tuesday", "looks fine",
    "should be rolled over", "was sent this morning", "is on hold", "can wait until then",
)  # fmt: skip
_ENDS = (".", "!", ", thanks.", " and that is all for today.", ", kind regards.", "?")

CARRIERS: dict[str, tuple[str, ...]] = {
    "payment_card": ("My card is {}.", "Please charge {} today", "it's {} exp 05/27", "{}"),
    "iban": ("Pay to {} please.", "IBAN: {}", "my account is {}, thanks", "{}", "send it to {}"),
    "us_ssn": ("My SSN is {}.", "SSN: {}", "social security number {} for the form", "It is {}."),
    "uk_nino": ("My NI number is {}.", "NINO {}", "national insurance no. {}, thanks", "It is {}."),
    "isin": ("ISIN {}", "Buy 500 of {} today.", "We hold {} and like it.", "{} at market"),
    "cusip": ("CUSIP {}", "The bond with CUSIP {} matures soon.", "cusip: {}, par"),
    "sedol": ("SEDOL {}", "The line's SEDOL is {}.", "sedol: {}, London"),
    "lei": ("LEI {}", "Our LEI is {}.", "The entity {} signed.", "{}"),
    "phone": (
        "Call me at {}.", "My number is {}, thanks", "Tel. {}", "you can reach me on {} tomorrow",
        "mobile: {}", "Please text {} when you land", "{} is my new number", "Fax: {}",
    ),
    "ip_address": ("The server is {}.", "connect from {} please", "IP: {}", "{}"),
    "passport": ("My passport number is {}.", "Passport: {}", "passport no. {}, expires soon"),
    "secret": ("here is the key {}", "use {} for now", "token: {}", "{}"),
}  # fmt: skip


def sentence(chance: random.Random) -> str:
    """Return a sentence without figures."""
    words = f"{chance.choice(_SUBJECTS)} {chance.choice(_VERBS)}{chance.choice(_ENDS)}"
    return words[0].upper() + words[1:] if chance.random() < 0.7 else words


def ordinary(chance: random.Random) -> str:
    """Return a sentence that may hold figures of everyday business, never an identifier."""
    if chance.random() < 0.35:
        return sentence(chance)
    return chance.choice(_ORDINARY)(chance)


def _amount(chance: random.Random) -> str:
    value = chance.randrange(10, 90_000_000)
    shown = chance.choice([f"{value:,}", f"{value:,}.{value % 100:02}", f"{value:_}", f"{value}"])
    shown = shown.replace("_", chance.choice([" ", "'", "."]))
    currency = chance.choice(["USD", "EUR", "CHF", "JPY", "GBP", "$", "€"])
    return f"please move {currency} {shown} into bonds."


def _date(chance: random.Random) -> str:
    year, month, day = (
        chance.randrange(1990, 2035),
        chance.randrange(1, 13),
        chance.randrange(1, 29),
    )
    shown = [
        f"{year}-{month:02}-{day:02}",
        f"{day}.{month}.{year}",
        f"{month}/{day}/{year}",
        f"{day:02}.{month:02}.{year} {day % 24:02}:{month:02}",
        f"{year}{month:02}{day:02}",
    ]
    return "settles on " + chance.choice(shown)


def _span(chance: random.Random) -> str:
    hour = chance.randrange(8, 18)
    return f"between {hour}:00 and {hour + 1}:30, room {chance.randrange(100, 999)}."


def _order(chance: random.Random) -> str:
    number = "".join(chance.choices(string.digits, k=chance.randint(6, 12)))
    name = chance.choice(["order", "ticket", "invoice", "case", "ref.", "reference", "order no."])
    return f"{name} {chance.choice(['', '#'])}{number} is done."


def _quote(chance: random.Random) -> str:
    bid = chance.uniform(1, 900)
    rate = f"yield {chance.uniform(0, 9):.3f} %, up {chance.randrange(90)} bps"
    return f"bid {bid:.2f} / ask {bid + 0.1:.2f}, {rate}"


def _rows(chance: random.Random) -> str:
    rows = [f"{chance.uniform(1, 99):.2f}" for _ in range(chance.randint(3, 8))]
    return "levels: " + chance.choice([" / ", ", ", " - ", " | "]).join(rows)


def _code(chance: random.Random) -> str:
    letters = string.ascii_lowercase
    word = "".join(chance.choices(letters, k=chance.randint(4, 9)))
    tail = "".join(chance.choices(string.ascii_letters, k=4)) + str(chance.randrange(100))
    return f"log in as {word}{chance.choice(['', 'User'])}{tail} on the portal."


def _years(chance: random.Random) -> str:
    first = chance.randrange(1990, 2020)
    return "results " + chance.choice([" ", ", ", "/", "-"]).join(
        str(first + place) for place in range(chance.randint(2, 6))
    )


def _address(chance: random.Random) -> str:
    number, code = chance.randrange(1, 9_999), chance.randrange(1_000, 99_999)
    return f"our office is at Bahnhofstrasse {number}, {code} Zürich, floor {number % 20}."


def _file(chance: random.Random) -> str:
    year, version = chance.randrange(2015, 2030), chance.randrange(1, 30)
    return (
        f"see Q{version % 4 + 1}_FY{year}_Report_v{version}.{year % 10}.pdf and Annex {version}B."
    )


def _link(chance: random.Random) -> str:
    number = chance.randrange(10**9, 10**12)
    return f"https://example.com/news/{chance.randrange(2010, 2030)}/{number}?page={number % 90}"


def _unique(chance: random.Random) -> str:
    raw = "".join(chance.choices("0123456789abcdef", k=32))
    return f"trace {raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]} failed."


def _part(chance: random.Random) -> str:
    letters = "".join(chance.choices(string.ascii_uppercase, k=chance.randint(1, 3)))
    number = "".join(chance.choices(string.digits, k=chance.randint(3, 8)))
    return f"model {letters}{chance.choice(['', '-', ' '])}{number} ships next week."


def _capitals(chance: random.Random) -> str:
    count, year = chance.randrange(10, 99), chance.randrange(2000, 2030)
    return f"BUY {count}00 SHARES AT {count}.{count} BEFORE MAY {count % 28} {year} PLEASE."


_ORDINARY: tuple[Callable[[random.Random], str], ...] = (
    _amount, _date, _span, _order, _quote, _rows, _code, _years, _address, _file, _link, _unique,
    _part, _capitals,
)  # fmt: skip
