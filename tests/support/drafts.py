"""Drafts and facts by chance from a seed: ordinary words among all that rules look for.

It never repeats itself under another seed, and it knows no decision.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from contract.policy.book import BookFacts, BookName, compile_book
from contract.policy.facts import account_hash
from contract.policy.model import (
    AccountFacts,
    Attachment,
    ContactPointFacts,
    Draft,
    Facts,
    GiftFacts,
    Inspection,
    ReachFacts,
    Recipient,
    WallFacts,
)
from contract.wire import Channel, ConsentStatus

KEY = "k" * 32
NOW_UTC_MS = 1_795_000_000_000
OWN_ACCOUNT = "DE89370400440532013000"
BOOK_ACCOUNT = "GB29NWBK60161331926819"
FIRM_ACCOUNT = "7734-118820-05"
BOOK_NAMES = (
    BookName(name="Hana Watanabe", contact_id="person-1", conversation_id="talk-1"),
    BookName(name="Sakura Family Office", contact_id="person-1", conversation_id="talk-1"),
    BookName(name="Quillon Zephyrine", contact_id="person-8", conversation_id="talk-8"),
    BookName(name="Brandt & Söhne", contact_id="person-9", conversation_id="talk-9"),
    BookName(name="王小明", contact_id="person-7", conversation_id="talk-7"),
)
_ORDINARY = """
    the review on Tuesday could we move into bonds please thank you regards order Guten Morgen
    die Überweisung ist da 会议在下午三点 よろしくお願いします merci beaucoup
"""
PIECES = (
    *_ORDINARY.split(),
    "4111 1111 1111 1111", "4111-1111-1111-1112", "５５５５ 5555 5555 4444", "4111 1111",
    "1111 1111", "3782 822463 10005", "DE89 3704 0044 0532 0130 00", "NL91ABNA0417164300",
    "GB29 NWBK 6016 1331 9268 19", "GB29 NWBK 6016", "1331 9268 19", "US0378331005", "078-05-1120",
    "219-09-9999", "+41 44 668 18 00", "(212) 555-0187", "AKIAIOSFODNN7EXAMPLE", "7734-118820-05",
    "card", "guaranteed", "g u a r a n t e e d", "GUARANTEED", "guаrantееd", "gua\u200branteed",
    "保本保息", "元本保証", "guess", "PROJECT-42", "project-42", "fund", "Fonds", "gift", "礼物",
    "a gift worth $350", "Geschenk von 200 bis 400 EUR", "贈り物 5万円", "$20", "CHF 1'250.–",
    "Capital at risk.", "Ihr Kapital ist im Risiko.", "Quillon Zephyrine", "brandt & söhne",
    "王小明", "Hana Watanabe", "falcon", "Osprey", "stop", "12,5 %", "1,250.00", "20260314",
    "😀", "👩‍👩‍👧", "4️⃣1️⃣", "\u202e", "\u0301", "e\u0301", "\ud83d", "ﷺ", "İ", "ß", "\x00", "\u3000",
)  # fmt: skip
GLUE = (" ", " ", " ", " ", ", ", ". ", "\n", "", "-", "\u00a0", "\u200b", "  ", "\n> ", "/")
CHANNELS = tuple(channel.value for channel in Channel)
_RANDOM_CHARS = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x3040, 0x30FF))))
_FILE_TYPES = ("application/pdf", "video/mp4", "application/zip", "text/plain; charset=utf-8")


class Case(NamedTuple):
    """One draft with the facts it is to be judged by, as the server knows them."""

    facts: Facts
    draft: Draft


def drafts(seed: int, most_pieces: int = 8) -> Iterator[Case]:
    """Yield cases without end; equal arguments give equal cases.

    `most_pieces` is how many words and numbers a text has at most.
    """
    chance = random.Random(seed)
    book = compile_book(3, BOOK_NAMES)
    while True:
        yield _case(chance, book, most_pieces)


def text_of(chance: random.Random, most_pieces: int = 8) -> str:
    """Return a text of some pieces, ordinary and not, with what may stand between them."""
    parts: list[str] = []
    for _ in range(chance.randrange(most_pieces + 1)):
        parts.append(chance.choice(PIECES) if chance.random() < 0.95 else _noise(chance))
        parts.append(chance.choice(GLUE))
    return "".join(parts)


def _noise(chance: random.Random) -> str:
    return "".join(chance.choice(_RANDOM_CHARS) for _ in range(chance.randrange(12)))


def _case(chance: random.Random, book: BookFacts, most_pieces: int) -> Case:
    count = 1 if chance.random() < 0.8 else chance.randint(2, 4)
    numbers = chance.sample(range(1, 10), count)
    people = [f"person-{number}" for number in numbers]
    recipients = tuple(Recipient(contact_id=one, contact_point_id=f"{one}:point") for one in people)
    draft = Draft(
        text=text_of(chance, most_pieces),
        conversation_id=f"talk-{numbers[0]}",
        channel=chance.choice(CHANNELS),
        recipients=recipients,
        attachments=_files(chance) if chance.random() < 0.08 else (),
        template_id="greeting" if chance.random() < 0.03 else "",
        language=chance.choice(("en", "de", "ja")),
        quoted_text=text_of(chance) if chance.random() < 0.1 else "",
        mentions=("person-5",) if chance.random() < 0.03 else (),
        forwarded_from=("person-6",) if chance.random() < 0.03 else (),
        on_behalf_of="employee-2" if chance.random() < 0.03 else "",
        several=chance.choice((0, 0, 0, 0, 0, 30)),
    )
    return Case(_facts(chance, people, book), draft)


def _facts(chance: random.Random, people: list[str], book: BookFacts) -> Facts:
    rare = chance.random() < 0.1
    return Facts(
        now_utc_ms=NOW_UTC_MS + chance.randrange(86_400_000),
        version=chance.randrange(9),
        contact_points=tuple(_point(chance, one) for one in people if chance.random() < 0.9),
        walls=WallFacts(
            denied_contact_ids=frozenset({"person-4"}) if rare else frozenset(),
            reference="7F3A",
            denied_pairs=frozenset({("person-6", "person-1"), ("person-2", "person-3")}),
            denied_on_behalf=frozenset({"person-2"}),
        ),
        accounts=_accounts(chance),
        book=book if chance.random() < 0.5 else BookFacts(),
        reach=ReachFacts(contact_ids=frozenset(f"reached-{one}" for one in range(25))),
        gifts=GiftFacts(given=(("person-1", 29_000, "USD"),)),
    )


def _accounts(chance: random.Random) -> AccountFacts:
    if chance.random() < 0.5:
        return AccountFacts()
    return AccountFacts(
        key=KEY,
        client_hashes=frozenset({account_hash(KEY, OWN_ACCOUNT)}),
        book=((account_hash(KEY, BOOK_ACCOUNT), "talk-9"),),
        firm_hashes=frozenset({account_hash(KEY, FIRM_ACCOUNT)}),
    )


def _point(chance: random.Random, contact_id: str) -> ContactPointFacts:
    usual = chance.random() < 0.7
    return ContactPointFacts(
        contact_point_id=f"{contact_id}:point",
        contact_id=contact_id,
        recording_notice=ConsentStatus.ACCEPTED if usual else chance.choice(list(ConsentStatus)),
        opt_in=ConsentStatus.ACCEPTED if usual else chance.choice(list(ConsentStatus)),
        opted_out=chance.random() < 0.03,
        window_closes_at_utc_ms=chance.choice((None, 0, NOW_UTC_MS + 43_200_000)),
        window_messages_left=chance.choice((None, None, None, 0, 3)),
        retail=chance.random() < 0.3,
        utc_offset_min=chance.choice((None, 60, 540, -300)),
        language=chance.choice(("", "en", "de")),
    )


def _files(chance: random.Random) -> tuple[Attachment, ...]:
    def rarely() -> bool:
        return chance.random() < 0.15

    return tuple(
        Attachment(
            name=f"file-{number}.pdf",
            media_type=chance.choice(_FILE_TYPES),
            size_bytes=chance.choice((10, 2_000_000)),
            sha256=f"{chance.getrandbits(256):064x}",
            inspection=chance.choice(list(Inspection)),
            text=text_of(chance),
            encrypted=rarely(),
            executable=rarely(),
            type_mismatch=rarely(),
            truncated=rarely(),
        )
        for number in range(chance.randint(1, 2))
    )
