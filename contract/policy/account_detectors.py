"""Owns the rules about whose account or name stands in a text: wrong-client guard, IBAN owners.

It never tells in words whose it is, and it never knows an account number, only keyed hashes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from contract.policy.context import Context
from contract.policy.facts import account_hash
from contract.policy.hits import CUSTOMARY, Hit
from contract.policy.model import AccountFacts, Facts
from contract.policy.rules import AccountNumberRule, IbanRule, WrongClientRule
from contract.policy.text_scan import TextScan

MIN_ACCOUNT_CHARS, MAX_ACCOUNT_CHARS = 5, 34
_MIN_DIGITS = 4
_MAX_GROUPS = 12
_GAP = r"[ \-./_·:]{1,3}"
_NUMERIC = r"[a-z0-9]{0,34}[0-9][a-z0-9]*"
_LETTERS = r"[a-z]{1,4}(?![a-z0-9])"  # as a country's or a bank's code is in an IBAN
_CHAIN = re.compile(
    rf"(?<![a-z0-9])(?:{_LETTERS}{_GAP})?{_NUMERIC}(?:{_GAP}(?:{_NUMERIC}|{_LETTERS}))*"
)
_GROUP = re.compile(r"[a-z0-9]+")
_DIGIT = re.compile(r"[0-9]")


class _Candidate(NamedTuple):
    """What may be an account number: its place in a chain of figures, bare form, keyed hash."""

    start: int
    end: int
    bare: str
    keyed: str


def find_accounts(rule: AccountNumberRule, scan: TextScan, context: Context) -> Iterator[Hit]:
    """Yield account numbers whose keyed hash the facts hold, by whose they are."""
    accounts = context.facts.accounts
    if not accounts.key:
        return
    known = accounts.known_hashes
    for chain in _CHAIN.finditer(scan.normalised.text):
        hashes, candidates = _candidates(accounts.key, chain.group())
        if known.isdisjoint(hashes):
            continue
        reach, place = 0, chain.start()
        for candidate in candidates:
            if candidate.keyed in known and candidate.start >= reach:
                reach = candidate.end
                low, high = scan.normalised.span(place + candidate.start, place + reach)
                hit = _account_hit(rule, candidate.keyed, accounts)
                yield hit._replace(start=low, end=high, value=candidate.bare.upper())


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


def forget_accounts() -> None:
    """Drop the figures kept from earlier drafts."""
    _candidates.cache_clear()


def _account_hit(rule: AccountNumberRule, keyed: str, accounts: AccountFacts) -> Hit:
    if keyed in accounts.client_hashes:
        return Hit(rule.own_action, rule.own_message or rule.message)
    move_to = accounts.conversation_of.get(keyed)
    if move_to is not None:
        return Hit(rule.book_action, rule.book_message or rule.message, move_to=move_to)
    return Hit(rule.other_action, rule.other_message or rule.message, server_known=True)


@functools.lru_cache(maxsize=2_048)
def _candidates(key: str, chain: str) -> tuple[frozenset[str], tuple[_Candidate, ...]]:
    """Return what may be one number in a chain: all hashes, then by start and longest first.

    Kept, because most chains were there at the keystroke before.
    """
    groups = [match.span() for match in _GROUP.finditer(chain)]
    found: list[_Candidate] = []
    for first, (start, _) in enumerate(groups):
        bare = ""
        longer: list[_Candidate] = []
        for low, high in groups[first : first + _MAX_GROUPS]:
            bare += chain[low:high]
            if len(bare) > MAX_ACCOUNT_CHARS:
                break
            if len(bare) >= MIN_ACCOUNT_CHARS and len(_DIGIT.findall(bare)) >= _MIN_DIGITS:
                longer.append(_Candidate(start, high, bare, account_hash(key, bare)))
        found += reversed(longer)
    return frozenset(one.keyed for one in found), tuple(found)
