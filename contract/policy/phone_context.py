"""Owns the words and signs beside a number that tell whether it is meant as a phone number.

It never looks at the number itself.
"""

from __future__ import annotations

import re
from enum import Enum

_SPEAKS_FOR = (
    r"(?:tele)?phone|\btel\b|\btlf\b|\btfn\b|\bmob\b|\bcell\b|cellular|mobile|handset|landline|"
    r"\bfax\b|hotline|helpline|switchboard|\bcall(?:ed|ing|s)?\b|\bring\b|\bdial(?:led|ing)?\b|"
    r"\bsms\b|whatsapp|telegram|\bviber\b|imessage|facetime|"
    r"(?:my|your|his|her|their|our|new|old) (?:number|no\b)|"
    r"(?:meu|seu|nosso|novo|mi|su|nuevo|mon|votre|nouveau|mio|meine|neue) (?:numero|nummer)|"
    r"telefon|\bhandy\b|mobil|\bnatel\b|\banruf\w{0,4}|rufnummer|durchwahl|\bruf\b|erreich\w{0,4}|"
    r"t[ée]l[ée]phon|portable|\bappel\w{0,4}|joign\w{0,6}|\bgsm\b|"
    r"tel[ée]fono|m[óo]vil|celular|ll[aá]m\w{0,5}|cellulare|chiam\w{0,6}|recapito|"
    r"telefone|telem[óo]vel|\bfone\b|\blig(?:ue|ar|a)\b|\bzap\b|contat\w{0,2}|"
    r"telefoon|mobiel|\bbel\b|puhelin|\btfno\b|телефон|\bтел\b|звон\w{0,5}|"
    r"电话|手机|電話|手機|座机|固话|热线|致电|打给|拨打|联系|聯絡|号码|號碼|传真|微信|"
    r"携帯|連絡|ファックス|전화|휴대폰|연락"
)
_CLOSE_BY = re.compile(
    r"\b(?:office|home|work|desk|direct|line|main|switch|registered|answer\w{0,3}|messag\w{1,5}|text"
    r"|reach|contact|signal|number)"
    r"(?: (?:me|us|him|her|them|you|line|no))?(?: (?:on|at|to|via|under|is))?[ :.#–\-(\n]{0,3}$"
)
_SPEAKS_AGAINST = (
    r"account|\bacct\b|\ba/c\b|card|\border|invoice|\bref\b|reference|\bid\b|\bisbn|\bissn|\bssn\b|"
    r"policy|serial|tracking|\bcase\b|ticket|contract|passport|licen[cs]e|\bzip\b|post(?:al )?code|"
    r"routing|\baba\b|\bsort code|\bbic\b|\biban|\bisin|\bcusip|\bsedol|\bvalor|\bwkn\b|\blot\b|"
    r"version|\bbuild\b|\bsku\b|barcode|\bean\b|\bgtin|\bimei|\bvin\b|\btax\b|\bvat\b|\bein\b|\bcrn\b|"
    r"\bsuite\b|\bapt\b|\broom\b|\bfloor\b|formula|amount|total|balance|price|volume|notional|nominal|strike|quantity|\bqty\b|"
    r"konto|kunden|auftrag|rechnung|vertrag|steuer|betrag|compte|commande|facture|montant|"
    r"cuenta|pedido|factura|conta|encomenda|fatura|valor|账号|账户|帳戶|订单|訂單|金额|卡号|身份证|口座|注文"
)
_BEFORE = re.compile(rf"(?P<for>{_SPEAKS_FOR})|(?P<against>{_SPEAKS_AGAINST})")
_AFTER = re.compile(
    r"[ \-–:,(\n]{0,3}(?:office|fax|mobile|mob|cell|home|work|desk|direct|tel|phone|handy|privat"
    r"|whatsapp|portable|bureau|m[óo]vil|celular|手机|办公室|电话)\b"
    r"| (?:is|ist|est|es|é|是) (?:my|our|his|her|their|the|meine?|mon|mi|meu|我的?)\b"
    r"(?: \w{1,12})? ?(?:number|phone|mobile|cell|line|nummer|handy|num[ée]ro|telefone"
    r"|号码|电话|手机)"
)
_AMOUNT_AFTER = re.compile(
    r" ?(?:%|[$€£¥]|(?:usd|eur|chf|gbp|jpy|cny|hkd|shares?|units?|lots?|bps|pcs|pieces|barrels|tons"
    r"|million|billion|mm|mn|bn|km|kg|m2|sq|ft|years?|days?|people|stück|元|股|円|株)\b)"
)
_REACH = 40
_SENTENCE_END = re.compile(r"[a-z]{4}[.!?][ \n]|[。！？]")
_JOINING_BEFORE = "_=#/\\*$€£¥%&~^"


class Leaning(Enum):
    """What the surroundings of a number say."""

    FOR = "for"
    OPEN = "open"
    AGAINST = "against"
    FORBIDDEN = "forbidden"


def leaning(text: str, start: int, end: int, *, words_before: int | None = None) -> Leaning:
    """Weigh the small-letter text around a number from `start` to `end`; the nearest word wins.

    `words_before` is where words are sought before, `start` unless given.
    """
    if _glued_before(text, start) or _glued_after(text, end):
        return Leaning.FORBIDDEN
    if text[start - 1 : start] == "-" and _code_before(text, start):
        return Leaning.FORBIDDEN
    if _AMOUNT_AFTER.match(text, end) or _money_before(text, start):
        return Leaning.FORBIDDEN
    if _AFTER.match(text, end):
        return Leaning.FOR
    return _nearest_word(text, start if words_before is None else words_before)


def _glued_before(text: str, start: int) -> bool:
    """Tell whether the sign before makes the number a part of something else."""
    before = text[start - 1 : start]
    if not before:
        return False
    if text[start] in "+(":
        return before.isdigit() or before in ")=*+"
    if before == ":":
        return text[max(start - 2, 0) : start - 1].isdigit()
    return before in _JOINING_BEFORE or (before.isascii() and before.isalnum())


def _glued_after(text: str, end: int) -> bool:
    after = text[end : end + 1]
    return bool(after) and (after in "_=*@%^" or (after.isascii() and after.isalnum()))


def _code_before(text: str, start: int) -> bool:
    """Tell whether a minus sign before a number joins it to a code, or makes it negative."""
    word = text[max(start - 12, 0) : start - 1].split(" ")[-1]
    if text[start : start + 1] in "(+":
        return False
    return not word or any(char.isdigit() for char in word) or (word.isascii() and len(word) < 3)


def _money_before(text: str, start: int) -> bool:
    near = text[max(start - 4, 0) : start].rstrip()
    return near.endswith(("$", "€", "£", "¥", "usd", "eur", "chf", "gbp", "jpy", "#"))


def _nearest_word(text: str, start: int) -> Leaning:
    low = max(start - _REACH, 0)
    for match in _SENTENCE_END.finditer(text, low, start):
        low = match.end()
    found = Leaning.OPEN
    last = low
    for match in _BEFORE.finditer(text, low, start):
        found = Leaning.FOR if match["for"] is not None else Leaning.AGAINST
        last = match.end()
    if found is not Leaning.OPEN and any(char.isdigit() for char in text[last:start]):
        found = Leaning.OPEN
    if found is Leaning.OPEN and _CLOSE_BY.search(text, low, start):
        return Leaning.FOR
    return found
