"""Owns the rules about whose account or name stands in a text: wrong-client guard, IBAN owners.

It never tells in words whose it is, and it never knows an account number, only keyed hashes.
"""

from __future__ import annotations

import functools
import hmac
import re
from collections.abc import Iterator

from contract.policy.context import Context
from contract.policy.facts import account_hash
from contract.policy.hits import CUSTOMARY, Hit
from contract.policy.model import AccountFacts, Facts
from contract.policy.rules import AccountNumberRule, IbanRule, WrongClientRule
from contract.policy.text_scan import TextScan

MIN_ACCOUNT_CHARS, MAX_ACCOUNT_CHARS = 5, 34
_MIN_DIGITS = 4
_MAX_GROUPS = 12
_GROUP = re.compile(r"[a-z0-9]+")
_GAP = re.compile(r"[ \-./_·:]{1,3}")
_DIGIT = re.compile(r"[0-9]")
_LETTERS_IN_NUMBERS = 4  # as a bank's code is in an IBAN


def find_accounts(rule: AccountNumberRule, scan: TextScan, context: Context) -> Iterator[Hit]:
    """Yield account numbers whose keyed hash the facts hold, by whose they are."""
    accounts = context.facts.accounts
    if not accounts.key:
        return
    reach = 0
    for start, candidates in _candidates(scan.normalised.text):
        if start < reach:
            continue
        for end, bare in candidates:
            hit = _account_hit(rule, bare, accounts)
            if hit is not None:
                reach = end
                low, high = scan.normalised.span(start, end)
                yield hit._replace(start=low, end=high, value=bare.upper())
                break


def find_wrong_names(rule: WrongClientRule, scan: TextScan, context: Context) -> Iterator[Hit]:
    """Yield names and companies of the own book that are not the open conversation's."""
    here = context.draft.conversation_id
    open_contacts = {to.contact_id for to in context.draft.recipients}
    for match in context.facts.book.find(scan.normalised.text):
        bearers = match.bearers
        if any(one.conversation_id == here or one.contact_id in open_contacts for one in bearers):
            continue
        places = {one.conversation_id for one in bearers}
        move_to = places.pop() if len(places) == 1 else ""
        start, end = scan.normalised.span(match.start, match.end)
        yield Hit(rule.action, rule.message, CUSTOMARY, start, end, move_to=move_to)


def iban_outcome(rule: IbanRule, hit: Hit, facts: Facts) -> Hit:
    """Judge whose account an IBAN is, as far as the facts hold the clients' own ones."""
    accounts = facts.accounts
    if not accounts.key or not (accounts.client_hashes or accounts.book):
        return hit
    keyed = account_hash(accounts.key, hit.value)
    if keyed in accounts.client_hashes:
        return hit._replace(action=rule.own_action, message_key=rule.own_message or rule.message)
    move_to = accounts.conversation_of.get(keyed, "")
    if not (accounts.client_hashes or move_to):
        return hit
    return hit._replace(
        action=rule.other_action, message_key=rule.other_message or rule.message, move_to=move_to
    )


def _account_hit(rule: AccountNumberRule, bare: str, accounts: AccountFacts) -> Hit | None:
    keyed = _keyed(accounts.key, bare)
    if keyed in accounts.client_hashes:
        return Hit(rule.own_action, rule.own_message or rule.message)
    move_to = accounts.conversation_of.get(keyed)
    if move_to is not None:
        return Hit(rule.book_action, rule.book_message or rule.message, move_to=move_to)
    if keyed in accounts.firm_hashes:
        return Hit(rule.other_action, rule.other_message or rule.message, server_known=True)
    return None


def _candidates(text: str) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Yield each place where a number may start, with the ends it may have, longest first."""
    groups = [match.span() for match in _GROUP.finditer(text)]
    numeric = [_reads_as_number(text[start:end]) for start, end in groups]
    for first, (start, _) in enumerate(groups):
        if not numeric[first] and not _leads(text, groups, numeric, first):
            continue
        candidates: list[tuple[int, str]] = []
        bare = ""
        for place in range(first, min(first + _MAX_GROUPS, len(groups))):
            low, high = groups[place]
            if place > first and not _joined(text, groups[place - 1][1], groups[place]):
                break
            bare += text[low:high]
            if len(bare) > MAX_ACCOUNT_CHARS:
                break
            if len(bare) >= MIN_ACCOUNT_CHARS and len(_DIGIT.findall(bare)) >= _MIN_DIGITS:
                candidates.append((high, bare))
        if candidates:
            yield start, candidates[::-1]


def _reads_as_number(group: str) -> bool:
    return _DIGIT.search(group) is not None


def _leads(text: str, groups: list[tuple[int, int]], numeric: list[bool], place: int) -> bool:
    """Tell whether a short group of letters stands right before a number, as "CH" before 12."""
    start, end = groups[place]
    follows = place + 1 < len(groups) and numeric[place + 1]
    return follows and end - start <= _LETTERS_IN_NUMBERS and _joined(text, end, groups[place + 1])


def _joined(text: str, end: int, group: tuple[int, int]) -> bool:
    short_or_number = group[1] - group[0] <= _LETTERS_IN_NUMBERS or _reads_as_number(
        text[group[0] : group[1]]
    )
    return short_or_number and _GAP.fullmatch(text, end, group[0]) is not None


@functools.lru_cache(maxsize=8_192)
def _keyed(key: str, bare: str) -> str:
    # As account_hash does it; most candidates were seen at the keystroke before.
    return hmac.digest(key.encode("utf-8"), bare.upper().encode("utf-8"), "sha256").hex()
