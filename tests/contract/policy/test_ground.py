"""What decisions rest on, kept between keystrokes: always what would be made anew.

It does not test what facts and drafts hold.
"""

from __future__ import annotations

import random

import msgspec

from contract.ids import AccountId, ContactId, ConversationId
from contract.policy.book import BookFacts, BookName, compile_book
from contract.policy.context import ScanMemo
from contract.policy.facts import conversation_draft, conversation_facts
from contract.policy.ground import ConversationGround
from contract.policy.model import AccountFacts, facts_hash
from contract.wire import Channel, Contact, Conversation, Mode

SUMMER_TIME_BEGINS_UTC_MS = 1_774_746_000_000
ZONES = ("", "Europe/Zurich", "Asia/Tokyo", "no/where", "America/New_York")
ACCOUNTS = (None, AccountFacts(), AccountFacts(version=2, key="k" * 32))
BOOKS = (
    None,
    BookFacts(),
    compile_book(1, [BookName(name="Hana Watanabe", contact_id="c-1", conversation_id="v-1")]),
)


def person(number: int, zone: str, version: int) -> Contact:
    return Contact(
        contact_id=ContactId(f"c-{number}"),
        version=version,
        display_name="A",
        initials="A",
        time_zone=zone,
    )


def talk(number: int, chance: random.Random) -> Conversation:
    members = chance.sample(range(4), chance.randint(0, 3))
    return Conversation(
        conversation_id=ConversationId(f"v-{number}"),
        version=chance.randrange(3),
        channel=chance.choice(list(Channel)),
        account_id=AccountId("a-1"),
        title="A",
        mode=Mode.GOVERNED,
        contact_ids=tuple(ContactId(f"c-{one}") for one in members),
        walled=chance.random() < 0.3,
        facts_version=chance.randrange(3),
    )


def test_kept_grounds_are_those_made_anew() -> None:
    chance = random.Random(7)
    ground, memo = ConversationGround(), ScanMemo()
    chat = talk(0, chance)
    people = [person(one, chance.choice(ZONES), 1) for one in range(4)]
    for _ in range(1_500):
        if chance.random() < 0.2:
            chat = talk(chance.randrange(3), chance)
        if chance.random() < 0.2:
            number = chance.randrange(4)
            people[number] = person(number, chance.choice(ZONES), chance.randrange(3))
        if chance.random() < 0.1:
            people = people[::-1]
        now_utc_ms = SUMMER_TIME_BEGINS_UTC_MS + chance.choice((-1, 0, 1, 86_400_000))
        accounts, book = chance.choice(ACCOUNTS), chance.choice(BOOKS)
        kept = ground.facts(chat, people, now_utc_ms, accounts, book)
        made = conversation_facts(chat, people, now_utc_ms, accounts, book)
        assert kept == made
        assert memo.findings.facts_hash(kept) == facts_hash(made)
        words, quoted = chance.choice(("", "t")), chance.choice(("", "q"))
        assert ground.draft(
            chat, people, "Hi", (), "de", template_id=words, quoted_text=quoted
        ) == conversation_draft(chat, people, "Hi", (), "de", template_id=words, quoted_text=quoted)


def test_unchanged_parts_are_the_same_objects() -> None:
    chance = random.Random(8)
    ground = ConversationGround()
    chat, people = talk(1, chance), (person(1, "Asia/Tokyo", 1),)
    one, two = (ground.facts(chat, people, now_utc_ms) for now_utc_ms in (1, 2))
    assert one != two
    for name in msgspec.structs.asdict(one).keys() - {"now_utc_ms"}:
        assert getattr(one, name) is getattr(two, name), name
