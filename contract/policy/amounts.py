"""Owns reading amounts of money out of folded text: figures with a currency's sign or word.

It does not convert between currencies, and it never reads a bare figure as money.

Words of English, German, French, Chinese and Japanese; codes of ISO 4217.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_NAMES: dict[tuple[str, ...], str] = {
    ("USD",): "us$ usd dollar dollars us-dollar us-dollars 美元 美金 米ドル ドル $",
    ("EUR",): "€ eur euro euros 欧元 歐元 ユーロ",
    ("GBP",): "£ gbp pound pounds pfund livre livres 英镑 英鎊 英ポンド ポンド",
    ("CHF",): "chf sfr fr. franken franc francs rappen 瑞士法郎 瑞郎 スイスフラン",
    ("JPY",): "jpy yen 円 日元 日圓 日円",
    ("CNY",): "cny rmb cn¥ yuan 人民币 人民幣 人民元 元 块 塊",
    ("JPY", "CNY"): "¥",
    ("HKD",): "hk$ hkd 港元 港币 港幣 香港ドル",
    ("SGD",): "s$ sgd 新元 新币 シンガポールドル",
    ("AUD",): "a$ aud 澳元 豪ドル",
    ("CAD",): "c$ cad 加元 カナダドル",
}
_CODES = {word: codes for codes, words in _NAMES.items() for word in words.split()}
_NO_MINOR = frozenset({"JPY"})
_MULTIPLIERS = {
    "k": 10**3,
    "tsd": 10**3,
    "tsd.": 10**3,
    "tausend": 10**3,
    "thousand": 10**3,
    "mille": 10**3,
    "hundred": 10**2,
    "hundert": 10**2,
    "cent": 10**2,
    "m": 10**6,
    "mio": 10**6,
    "mio.": 10**6,
    "million": 10**6,
    "millionen": 10**6,
    "millions": 10**6,
    "百": 10**2,
    "千": 10**3,
    "万": 10**4,
    "萬": 10**4,
    "億": 10**8,
    "亿": 10**8,
}
_HAN_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {
    "两": 2,
    "零": 0,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "萬": 10_000}


def _either(words: dict[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_CURRENCY = f"(?:{_either(dict(_CODES))})"
_HAN = "[〇零一二两三四五六七八九十百千万萬]{1,12}"
_FIGURE = (
    r"(?:[0-9]{1,3}(?:[,.' ][0-9]{3}){1,4}(?![0-9])(?:[.,](?:[0-9]{1,2}|-)(?![0-9]))?"
    rf"|[0-9]{{1,12}}(?:[.,](?:[0-9]{{1,2}}|-)(?![0-9]))?|{_HAN})"
)
_TIMES = rf"(?: ?(?:{_either(dict(_MULTIPLIERS))})(?![a-z]))?"
_NUMBER = rf"{_FIGURE}{_TIMES}"
_RANGE = r" ?(?:-|~|–|to|bis|und|and|et|à|a|至|到|から|ないし) ?"
_AMOUNT = re.compile(
    rf"(?<![0-9a-z.,])(?:(?P<before>{_CURRENCY}) ?(?P<first>{_NUMBER})"
    rf"(?:{_RANGE}(?P<until>{_NUMBER}))?"
    rf"|(?P<low>{_NUMBER})(?:{_RANGE}(?P<high>{_NUMBER}))? ?(?P<after>{_CURRENCY})(?![a-z]))"
)
_SPLIT = re.compile(rf"(?P<figure>{_FIGURE})(?: ?(?P<times>[^0-9]+))?$")


class Amount(NamedTuple):
    """An amount at a span of the folded text; several currencies when the sign is shared."""

    start: int
    end: int
    minor_units: tuple[tuple[str, int], ...]


def find_amounts(text: str) -> list[Amount]:
    """Find amounts in folded text, left to right; of a range, the upper end counts."""
    return [
        Amount(match.start(), match.end(), minor)
        for match in _AMOUNT.finditer(text)
        if (minor := tuple(_minor_units(match)))
    ]


def _minor_units(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    sign = match.group("before") or match.group("after")
    values = [_value(match.group(name)) for name in ("first", "until", "low", "high")]
    for currency in _CODES[sign]:
        hundredths = max(values)
        yield currency, hundredths // 100 if currency in _NO_MINOR else hundredths


def _value(written: str | None) -> int:
    """Return a written number in hundredths; 0 for none."""
    parts = _SPLIT.match(written) if written else None
    if parts is None:
        return 0
    times = _MULTIPLIERS.get((parts.group("times") or "").strip(), 1)
    return _hundredths(parts.group("figure")) * times


def _hundredths(figure: str) -> int:
    if not figure[0].isascii():
        return _han_value(figure) * 100
    whole, mark, rest = figure, "", ""
    place = max(figure.rfind("."), figure.rfind(","))
    if place >= 0 and len(figure) - place - 1 != 3:
        whole, mark, rest = figure[:place], figure[place], figure[place + 1 :]
    digits = re.sub("[^0-9]", "", whole)
    cents = rest.ljust(2, "0") if mark and rest.isdigit() else "00"
    return int(digits) * 100 + int(cents)


def _han_value(written: str) -> int:
    """Read a Chinese or Japanese numeral below a hundred million."""
    total, section, digit = 0, 0, 0
    for char in written:
        unit = _HAN_UNITS.get(char)
        if unit is None:
            digit = digit * 10 + _HAN_DIGITS[char] if digit else _HAN_DIGITS[char]
        elif unit >= 10_000:
            total += (section + digit or 1) * unit
            section = digit = 0
        else:
            section += (digit or 1) * unit
            digit = 0
    return total + section + digit
