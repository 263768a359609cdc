"""Owns finding phone numbers: by their layout, their numbering plan and the words beside them.

It never takes a date, a time, an amount or an order's number for one where it can tell.

Sources: ITU-T E.123 and E.164; the numbering plans in the phonenumbers library.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import phonenumbers

from contract.policy.phone_context import Leaning, leaning
from contract.policy.scanned_text import Identifier, ScannedText

DEFAULT_REGIONS = ("US", "GB", "DE", "FR", "CH", "IT", "ES", "CN", "HK", "SG", "JP", "BR")
MIN_DIGITS, MAX_DIGITS, MIN_DIGITS_ALONE = 7, 15, 9
_MAX_PART_GROUPS = 6
_POSSIBLE = phonenumbers.ValidationResult.IS_POSSIBLE
_CHAIN = re.compile(r"(?:\( ?)?(?:\+ ?)?[0-9]+(?:[ \-./()·]{1,4}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_EXTENSION = re.compile(
    r" ?(?:x|ext\.?|extension|poste|durchwahl|dw|分机|转) ?[0-9]{1,6}(?![a-z0-9])"
)
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)[0-9]{2}"
_NO_PHONES = re.compile(
    r"(?<![0-9])(?:"
    rf"{_YEAR}(?P<a>[\-./]){_MONTH}(?P=a){_DAY}(?:[ t][0-9]{{1,2}}(?=[:.h]))?"
    rf"|{_DAY}(?P<b>[\-./]){_MONTH}(?P=b)(?:{_YEAR}|[0-9]{{2}}(?![\-./ ]?[0-9]{{2}}))"
    rf"|{_MONTH}(?P<c>[\-./]){_DAY}(?P=c)(?:{_YEAR}|[0-9]{{2}}(?![\-./ ]?[0-9]{{2}}))"
    rf"|{_YEAR}(?: ?[/\- ] ?{_YEAR})+"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?"
    r"|[0-9]{1,3}(?:'[0-9]{3})+(?:\.[0-9]+)?"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
    r")(?![0-9])"
)


def find_phones(text: ScannedText) -> list[Identifier]:
    """Find phone numbers; values are digits, with a plus sign where they are international.

    Certain: layouts that only phone numbers have, and any plausible number beside a word that
    calls it one. Numbers that a numbering plan of the regions knows are left to evidence words.
    """
    lines = text.lines
    hidden = _NO_PHONES.sub(lambda match: ";" * len(match.group()), lines)
    found: list[Identifier] = []
    for match in _CHAIN.finditer(hidden):
        found.extend(_in_chain(hidden, match.start(), match.end(), text.regions))
    return found


def _in_chain(text: str, start: int, end: int, regions: tuple[str, ...]) -> Iterator[Identifier]:
    groups = [match.span() for match in _GROUP.finditer(text, start, end)]
    start = _opening(text, start, end)
    count = sum(high - low for low, high in groups)
    if MIN_DIGITS <= count <= MAX_DIGITS + 2:
        one = _judge(text, start, end, regions)
        if one is not None:
            yield one
            return
    if len(groups) > 2 and leaning(text, start, start + 1) is not Leaning.AGAINST:
        yield from _parts(text, groups, regions)


def _parts(
    text: str, groups: list[tuple[int, int]], regions: tuple[str, ...]
) -> Iterator[Identifier]:
    """Yield the parts of a long row of figures that have a phone number's layout by themselves."""
    index = 0
    while index < len(groups):
        count = next(_part_sizes(text, groups, index, regions), 0)
        if count:
            start, end = _part_span(text, groups[index : index + count])
            one = _judge(text, start, end, regions, words_before=groups[0][0])
            if one is not None and one.certain:
                yield one
        index += max(count, 1)


def _part_sizes(
    text: str, groups: list[tuple[int, int]], index: int, regions: tuple[str, ...]
) -> Iterator[int]:
    """Yield how many groups from `index`, set apart by spaces, have such a layout."""
    for count in range(min(_MAX_PART_GROUPS, len(groups) - index), 0, -1):
        chosen = groups[index : index + count]
        start, end = _part_span(text, chosen)
        digits = sum(high - low for low, high in chosen)
        apart = text[start - 1 : start] in ("", " ", "\n") and text[end : end + 1] in (
            "",
            " ",
            "\n",
        )
        if MIN_DIGITS <= digits <= MAX_DIGITS and apart and _only_phones(text[start:end]):
            yield count


def _part_span(text: str, groups: list[tuple[int, int]]) -> tuple[int, int]:
    start, end = _lead(text, groups[0][0]), groups[-1][1]
    return _opening(text, start, end), end


def _lead(text: str, start: int) -> int:
    """Return where a number that begins at a figure really begins: at its plus sign or bracket."""
    while start and text[start - 1] in "+(":
        start -= 1
    return start


def _opening(text: str, start: int, end: int) -> int:
    """Return the start without an opening bracket that the number does not close."""
    typed = text[start:end]
    if typed.startswith("(") and ")" not in typed:
        return start + len(typed) - len(typed[1:].lstrip())
    return start


def _judge(
    text: str, start: int, end: int, regions: tuple[str, ...], *, words_before: int | None = None
) -> Identifier | None:
    typed = text[start:end]
    extension = _EXTENSION.match(text, end)
    if extension is not None:
        end = extension.end()
    says = leaning(text, start, end, words_before=words_before)
    if says is Leaning.FORBIDDEN:
        return None
    shaped = extension is not None or _only_phones(typed)
    certain = _certainty(typed, says, shaped, regions or DEFAULT_REGIONS)
    if certain is None:
        return None
    plain = "".join(char for char in typed if char.isdigit())
    value = "+" + plain if typed.lstrip("( ").startswith("+") else plain
    return Identifier(start, end, value, certain, certain)


def _certainty(typed: str, says: Leaning, shaped: bool, regions: tuple[str, ...]) -> bool | None:
    """Return None for no phone number, else whether it needs no more evidence."""
    if says is Leaning.FOR:
        return True if shaped or _may_be_phone(typed) else None
    if says is Leaning.AGAINST:
        return True if shaped and typed.startswith(("+", "(")) else None
    if shaped:
        return True
    return False if _is_even(typed) and _known_to_plan(typed, regions) else None


_ONLY_PHONES = tuple(
    re.compile(form)
    for form in (
        r"1?[ \-.]?\([0-9]{3}\)[ \-.]{0,2}[0-9]{3}[ \-.]?[0-9]{4}",  # North America
        r"(?:1[ \-.])?[0-9]{3}(?P<s>[ \-.])[0-9]{3}(?P=s)[0-9]{4}",
        r"(?:1[ ])?[0-9]{3}\)[0-9]{3}-[0-9]{4}",
        r"\( ?0?[0-9]{2,4} ?\)[ \-./]{0,2}[0-9]{2,5}(?:[ \-.]?[0-9]{2,5}){0,3}",  # area in brackets
        r"0[1-9](?P<s>[ .\-])[0-9]{2}(?:(?P=s)[0-9]{2}){3}",  # France
        r"0[0-9]{1,4}[ \-./]{1,3}[0-9]{2,4}(?:[ \-][0-9]{2,4}){1,3}",  # trunk zero, groups
        r"0[0-9]{2,4}[ \-/]{1,2}[0-9]{5,8}",
        r"0[0-9]{4} [0-9]{5,6}",
        r"1[3-9][0-9](?P<s>[ \-])[0-9]{4}(?P=s)[0-9]{4}",  # China
        r"[1-9][0-9] 9[0-9]{4}-?[0-9]{4}",  # Brazil
    )
)
_INTERNATIONAL = re.compile(r"(?:\( ?)?(?:\+|00(?=[1-9 ])|011(?=[ \-)]))")


def _only_phones(typed: str) -> bool:
    """Tell whether a layout is one that other numbers do not have."""
    if _INTERNATIONAL.match(typed):
        return _is_international(typed)
    digits = sum(char.isdigit() for char in typed)
    return digits >= 9 and any(form.fullmatch(typed) for form in _ONLY_PHONES)


def _may_be_phone(typed: str) -> bool:
    """Tell whether a number beside a word for phones can be one: not a decimal, not in threes."""
    digits = sum(char.isdigit() for char in typed)
    groups = _GROUP.findall(typed)
    if not MIN_DIGITS <= digits <= MAX_DIGITS + 2 or len(groups) > 7:
        return False
    return not (len(groups) == 2 and "." in typed and " " not in typed and len(groups[0]) < 3)


@functools.lru_cache(maxsize=512)
def _is_international(typed: str) -> bool:
    digits = "".join(char for char in typed if char.isdigit())
    bare = typed.lstrip("( ")
    if not bare.startswith("+"):
        digits = digits[3:] if digits.startswith("011") else digits[2:]
    if not 8 <= len(digits) <= MAX_DIGITS:
        return False
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return False
    if phonenumbers.is_possible_number_with_reason(number) == _POSSIBLE:
        return True
    return bare.startswith("+") and len(_GROUP.findall(typed)) > 1


def _is_even(typed: str) -> bool:
    """Tell whether a number is long enough to be judged alone, with one separator throughout."""
    gaps = set(_GROUP.split(typed)[1:-1])
    return sum(char.isdigit() for char in typed) >= MIN_DIGITS_ALONE and len(gaps) < 2


@functools.lru_cache(maxsize=512)
def _known_to_plan(typed: str, regions: tuple[str, ...]) -> bool:
    for region in regions:
        try:
            number = phonenumbers.parse(typed, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False


def read_plans() -> None:
    """Read the regions' numbering plans, so that no keystroke waits for it."""
    _known_to_plan("123456789", DEFAULT_REGIONS)
