"""Owns the changeable facts a decision rests on: consent, walls, accounts, book, reach, gifts.

It never looks a fact up, and it never lets one that only the server may know reach a client.
"""

from __future__ import annotations

import functools
import hashlib

import msgspec

from contract.policy.book import BookFacts
from contract.values import ConsentStatus

_FACTS_TAG = b"parley.policy.facts.v2\n"


class ContactPointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Consent, opt-out, reply window and local time of one contact point.

    `window_closes_at_utc_ms` is None when the channel has no window or it is not known, and 0
    when the client has not written yet. `window_messages_left` is None without such a limit.
    `utc_offset_min` is the recipient's offset from UTC at the time of evaluation, east positive,
    None when it is not known. `retail` tells a retail investor (FINRA 2210(a)(6)); `language`
    is the client's own, for words that the client reads.
    """

    contact_point_id: str
    contact_id: str = ""
    version: int = 0
    recording_notice: ConsentStatus = ConsentStatus.NOT_ASKED
    opt_in: ConsentStatus = ConsentStatus.NOT_ASKED
    opted_out: bool = False
    window_closes_at_utc_ms: int | None = None
    window_messages_left: int | None = None
    retail: bool = False
    utc_offset_min: int | None = None
    language: str = ""


class WallFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands behind a wall, and the reference to quote to Compliance.

    `denied_contact_ids` are those this employee may not write to. Known to the server alone:
    `denied_pairs` (words from the first contact must not reach the second) and
    `denied_on_behalf` (contacts whom the person in `Draft.on_behalf_of` may not write to).
    """

    version: int = 0
    denied_contact_ids: frozenset[str] = frozenset()
    reference: str = ""
    denied_pairs: frozenset[tuple[str, str]] = frozenset()
    denied_on_behalf: frozenset[str] = frozenset()


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Keyed hashes (`account_hash`) of account numbers, by whose they are.

    `client_hashes` belong to the open conversation's clients, `book` gives the conversation of
    each other one in the employee's own book. `firm_hashes` are the firm's other clients',
    known to the server alone.
    """

    version: int = 0
    key: str = ""
    client_hashes: frozenset[str] = frozenset()
    book: tuple[tuple[str, str], ...] = ()
    firm_hashes: frozenset[str] = frozenset()

    @functools.cached_property
    def digest(self) -> str:
        """Return the SHA-256 (hex) over all fields, worked out once."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    @functools.cached_property
    def known_hashes(self) -> frozenset[str]:
        """Return all hashes, whoever's they are, worked out once."""
        return self.client_hashes.union(self.conversation_of, self.firm_hashes)

    @functools.cached_property
    def conversation_of(self) -> dict[str, str]:
        """Return the conversation of each hash of the book, worked out once."""
        return dict(self.book)


class ReachFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Retail clients reached with this text within 30 days, by anybody, on any channel."""

    version: int = 0
    contact_ids: frozenset[str] = frozenset()


class GiftFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Gifts of this year: contact, amount in minor units of the currency, ISO 4217 code."""

    version: int = 0
    given: tuple[tuple[str, int, str], ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything changeable a decision rests on; `version` only grows per employee.

    `now_utc_ms` is the evaluation's time, given by the caller: no rule reads a clock. It is
    left out of `facts_hash`, so that both sides can agree on equal facts.
    """

    now_utc_ms: int
    version: int = 0
    contact_points: tuple[ContactPointFacts, ...] = ()
    walls: WallFacts = WallFacts()
    accounts: AccountFacts = AccountFacts()
    book: BookFacts = BookFacts()
    reach: ReachFacts = ReachFacts()
    gifts: GiftFacts = GiftFacts()

    def for_client(self) -> Facts:
        """Return what the client may know of these facts: hints are compared on it."""
        walls, accounts = self.walls, self.accounts
        if walls.denied_pairs or walls.denied_on_behalf:
            walls = msgspec.structs.replace(
                walls, denied_pairs=frozenset(), denied_on_behalf=frozenset()
            )
        if accounts.firm_hashes:
            accounts = msgspec.structs.replace(accounts, firm_hashes=frozenset())
        return msgspec.structs.replace(
            self, walls=walls, accounts=accounts, reach=ReachFacts(), gifts=GiftFacts()
        )


def facts_hash(facts: Facts) -> str:
    """Return the SHA-256 (hex) of all facts but the time of evaluation."""
    points = sorted(facts.contact_points, key=lambda point: point.contact_point_id)
    content = [
        facts.version,
        points,
        facts.walls,
        facts.accounts.digest,
        [facts.book.version, facts.book.digest],
        facts.reach,
        facts.gifts,
    ]
    encoded = msgspec.json.encode(content, order="deterministic")
    return hashlib.sha256(_FACTS_TAG + encoded).hexdigest()
