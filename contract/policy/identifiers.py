"""Owns finding payment cards and IBANs in folded text, by range, length, layout and checksum.

It never judges what a find means for a draft, and it never needs a word list to find one.

Sources: ISO/IEC 7812-1 (Luhn), ISO 13616 and ISO 7064 (IBAN, mod 97-10).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from contract.policy.card_issuers import issuer_certainty
from contract.policy.disguised_figures import FIGURE_LIKE, find_spelt, with_figures
from contract.policy.iban_registry import BBAN_CLASSES
from contract.policy.scanned_text import Identifier as Identifier
from contract.policy.scanned_text import first_of_each_place

MIN_DIGITS = 10
_SEPARATORS = " -./\\_,·•|:;*>'\"~+=#()[]"
_CHAIN = re.compile(r"[0-9]+(?:[\W_]{1,3}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_LAYOUTS = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 3), (6, 13), (4, 4, 5))
_MIN_CARD, _MAX_CARD = 12, 19
_MIN_GROUPED_CARD = 14  # shorter ones in odd groups are mostly amounts and phone numbers
_IBAN_START = re.compile(
    r"(?:(?<![a-z0-9])|(?<=iban))(?=([a-z])[\W_]{0,3}([a-z])[\W_]{0,3}"
    r"[0-9oil][\W_]{0,3}[0-9oil])"
)
_MAX_GAP = 3
_MAX_ADDRESS = 200
_JOINED_BEFORE = re.compile(r"[0-9][a-z]{0,8}[\-./_]$")
_ALNUM = re.compile(r"[a-z0-9]+")
_JOINED_AFTER = re.compile(r"[\-./_][a-z]{0,8}[0-9]")
_EXPIRY_AFTER = re.compile(
    r"[\-./_](?:0[1-9]|1[0-2])[\-./_]?(?:20)?[2-4][0-9](?:[\-./_][0-9]{3,4})?(?![0-9a-z])"
)
_CARD_BEFORE = re.compile(
    r"(?<![a-z0-9])(?:(?:credit|debit|my)?cards?|visa|amex|karte|carte|cc|pan)$"
)
_MAX_WORD = 24
_OTHER_NUMBER = re.compile(
    r"\b(?:order|ticket|invoice|case|ref|reference|tracking|booking|shipment|parcel|trace|contract"
    r"|policy|auftrag|rechnung|vorgang|commande|facture|pedido|factura|订单|注文)"
    r"(?: (?:no|nr|number|id|is))?[ .:#\-]{0,3}$"
)
_FIGURES, _LETTERS = "0123456789", "abcdefghijklmnopqrstuvwxyz"
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_NOT_DIGITS = {code: None for code in range(128) if not 0x30 <= code <= 0x39}


def count_digits(text: str) -> int:
    """Count the ASCII digits of a folded text: the gate before any identifier is sought."""
    return len(text.translate(_NOT_DIGITS)) if text.isascii() else len(_bare(text))


def find_cards(text: str) -> list[Identifier]:
    """Find payment card numbers in folded text, left to right and never overlapping.

    Letters that stand in for figures are read as such.
    """
    found = _cards(text)
    disguised = with_figures(text)
    if disguised != text:
        found += [one for one in _cards(disguised) if _mostly_figures(text[one.start : one.end])]
    return first_of_each_place(found)


def find_spelt_cards(text: str) -> list[Identifier]:
    """Find payment card numbers whose figures are written in words."""
    return find_spelt(text, _cards, _MIN_CARD)


def _cards(text: str) -> list[Identifier]:
    found: list[Identifier] = []
    for chain in _CHAIN.finditer(text):
        if count_digits(chain.group()) < _MIN_CARD:
            continue
        groups = [match.span() for match in _GROUP.finditer(text, chain.start(), chain.end())]
        found.extend(_cards_in_chain(text, groups))
    return found


def find_ibans(text: str) -> list[Identifier]:
    """Find IBANs in folded text, left to right and never overlapping; values in upper case."""
    found: list[Identifier] = []
    for match in _IBAN_START.finditer(text):
        if found and match.start() < found[-1].end:
            continue
        iban = _iban_at(text, match.start(), match.group(1) + match.group(2))
        if iban is not None:
            found.append(iban)
    return found


def luhn_holds(digits: str) -> bool:
    """Tell whether a string of ASCII digits ends in its Luhn check digit."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        total += _LUHN_DOUBLED[value] if place % 2 else value
    return total % 10 == 0


def iban_checksum_holds(iban: str) -> bool:
    """Tell whether a bare upper- or lower-case IBAN has the remainder 1 modulo 97."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def _cards_in_chain(text: str, groups: list[tuple[int, int]]) -> Iterator[Identifier]:
    index = 0
    while index < len(groups):
        for count, customary in _readings(groups, index):
            listed = customary and _in_list(text, groups, index, count)
            card = _card(text, groups[index : index + count], customary, listed)
            if card is not None:
                yield card
                index += count
                break
        else:
            index += 1


def _readings(groups: list[tuple[int, int]], index: int) -> Iterator[tuple[int, bool]]:
    """Yield how many groups from `index` may form one number, the likeliest reading first."""
    sizes = [end - start for start, end in groups[index : index + _MAX_CARD]]
    for layout in _LAYOUTS:
        if tuple(sizes[: len(layout)]) == layout:
            yield len(layout), True
    if _MIN_CARD <= sizes[0] <= _MAX_CARD:
        yield 1, False
    run = _uniform_run(groups, index)
    if run > 1 and _MIN_CARD <= run * sizes[0] <= _MAX_CARD:
        yield run, False
    if index == 0 and 1 < len(groups) <= _MAX_CARD and _MIN_CARD <= sum(sizes) <= _MAX_CARD:
        yield len(groups), False


def _uniform_run(groups: list[tuple[int, int]], index: int) -> int:
    """Count the groups of one size from `index`; 0 inside such a run, or when it is too long."""
    size = groups[index][1] - groups[index][0]
    if index and groups[index - 1][1] - groups[index - 1][0] == size:
        return 0
    count = 0
    for start, end in groups[index : index + _MAX_CARD + 1]:
        if end - start != size:
            break
        count += 1
    return count


def _in_list(text: str, groups: list[tuple[int, int]], index: int, count: int) -> bool:
    """Tell whether a number's groups go on before or after it: rather a list of figures.

    Not so where they go on as another such number, as in a list of cards.
    """
    size = groups[index][1] - groups[index][0]
    before, after = groups[max(index - count, 0) : index], groups[index + count : index + 2 * count]
    beside = [] if _form_card(text, before, count) else before[-2:]
    beside += [] if _form_card(text, after, count) else after[:2]
    return sum(end - start == size for start, end in beside) > 1


def _form_card(text: str, groups: list[tuple[int, int]], count: int) -> bool:
    digits = "".join(text[start:end] for start, end in groups)
    return len(groups) == count and bool(issuer_certainty(digits)) and luhn_holds(digits)


def _card(
    text: str, groups: list[tuple[int, int]], customary: bool, listed: bool
) -> Identifier | None:
    digits = "".join(text[start:end] for start, end in groups)
    certain = issuer_certainty(digits)
    if certain is None or not luhn_holds(digits):
        return None
    start, end = groups[0][0], groups[-1][1]
    if not customary and len(groups) > 1:
        short = len(digits) < _MIN_GROUPED_CARD
        certain = certain and not short and not _reads_as_other_numbers(text, groups)
    certain = certain and not listed and _stands_alone(text, start, end)
    certain = certain and not (_in_address(text, start) or _goes_on(text, start, end))
    certain = certain and (customary or not _counts_something(text, start))
    return Identifier(start, end, digits, customary, certain)


def _reads_as_other_numbers(text: str, groups: list[tuple[int, int]]) -> bool:
    """Tell whether odd groups look like an amount with thousands, dates or a list of figures."""
    gaps = {text[one[1] : two[0]] for one, two in itertools.pairwise(groups)}
    sizes = [end - start for start, end in groups]
    thousands = sizes[0] <= 3 and all(size == 3 for size in sizes[1:])
    single_digits = max(sizes) == 1
    return thousands or not (single_digits or len(gaps) == 1)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether no Latin letter, plus sign or decimal touches it, but for a word for a card."""
    touching = text[max(start - 1, 0) : start] + text[end : end + 1]
    if _CARD_BEFORE.search(text, max(start - _MAX_WORD, 0), start):
        touching = text[end : end + 1]
    return not any(char.isascii() and (char.isalpha() or char in "+#_%=") for char in touching)


def _in_address(text: str, start: int) -> bool:
    """Tell whether the number is a part of a web address."""
    word = text[max(start - _MAX_ADDRESS, 0) : start].rpartition(" ")[2]
    return "://" in word or word.startswith("www.")


def _goes_on(text: str, start: int, end: int) -> bool:
    """Tell whether more figures are joined to the number without a space, but for an expiry."""
    if _JOINED_AFTER.match(text, end) and not _EXPIRY_AFTER.match(text, end):
        return True
    return _JOINED_BEFORE.search(text, max(start - _MAX_WORD, 0), start) is not None


def _counts_something(text: str, start: int) -> bool:
    """Tell whether the word right before a number says that it is an order's or the like."""
    return _OTHER_NUMBER.search(text, max(start - _MAX_WORD, 0), start) is not None


def _iban_at(text: str, start: int, country: str) -> Identifier | None:
    classes = BBAN_CLASSES.get(country)
    if classes is None:
        return None
    value: list[str] = []
    index, gap, gaps = start, 0, 0
    usual = True
    needed = len(classes) + 4
    while len(value) < needed and index < len(text):
        char = text[index]
        meant = _meant(char, len(value), classes)
        if meant:
            value.append(meant)
            gap = 0
        elif not char.isalnum() and gap < _MAX_GAP:
            gap, gaps = gap + 1, gaps + 1
            usual = usual and char in _SEPARATORS
        else:
            return None
        index += 1
    bare = "".join(value)
    after = text[index : index + 1]
    if len(bare) < needed or (after.isascii() and after.isalnum()) or not iban_checksum_holds(bare):
        return None
    if not _few_stand_ins(text[start:index], bare):
        return None
    return Identifier(start, index, bare.upper(), gaps == 0 or gaps >= needed // 5, usual)


def _meant(char: str, place: int, classes: tuple[str, ...]) -> str:
    """Return what a character is at a place: itself, the figure it stands in for, or nothing."""
    allowed = _LETTERS if place < 2 else _FIGURES if place < 4 else classes[place - 4]
    if char in allowed:
        return char
    return FIGURE_LIKE.get(char, "") if allowed == _FIGURES else ""


def _few_stand_ins(typed: str, bare: str) -> bool:
    """Tell whether letters stand in for few of an IBAN's figures, and no word for a group."""
    figures, meant = count_digits(typed), count_digits(bare)
    if figures == meant:
        return True
    head = [char for char in typed if char.isalnum()][2:4]
    groups = [group for group in _ALNUM.findall(typed) if len(group) > 1]
    words = any(FIGURE_LIKE.keys() >= set(group) for group in groups)
    return any(map(str.isdigit, head)) and not words and figures * 3 >= meant * 2


def _mostly_figures(typed: str) -> bool:
    """Tell whether a disguised number still holds more figures than stand-ins."""
    figures = count_digits(typed)
    return figures * 2 > figures + sum(char in FIGURE_LIKE for char in typed)


def _bare(text: str) -> str:
    return "".join(_GROUP.findall(text))
