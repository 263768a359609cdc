"""Tests of search: prefixes, accents, scripts without spaces, snippets and their highlights.

It never looks into the index.
"""

from __future__ import annotations

import pytest

from app.store.snippets import SNIPPET_CHARS, Highlighter
from app.store.store import Store
from contract.events import MessageUpserted
from tests.app.store.values import contact, conversation, event, fill, message

TEXTS = (
    "Überweisung an die Straße in Zürich",
    "Der Kurs fällt; call me about the quarterly report",
    "東京の債券報告書を送付しました",
    "請問下週三的會議可以改到下午三點嗎",
    "회의 시간을 변경할 수 있을까요",
    "ขอบคุณครับ พบกันวันพรุ่งนี้",
    "ＦＵＬＬ　ｗｉｄｔｈ order ＡＢＣ",
    "e\u0301te\u0301 and cafe",
)


async def _found(store: Store, query: str) -> list[int]:
    hits = (await store.search.search(query)).messages
    return [int(hit.message_id[1:]) for hit in hits]


@pytest.fixture
async def searched(store: Store) -> Store:
    """Return a store with one message per script."""
    messages = tuple(message(f"m{n}", text, at=n) for n, text in enumerate(TEXTS))
    await fill(store, (conversation(title="Talk"),), messages)
    return store


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("uber", 0),
        ("strasse", 0),
        ("STRASSE zur", 0),
        ("quar rep", 1),
        ("東", 2),
        ("書", 2),
        ("債券", 2),
        ("債券報告書", 2),
        ("た", 2),
        ("會議 三點", 3),
        ("嗎", 3),
        ("회", 4),
        ("시간", 4),
        ("พรุ่งนี้", 5),
        ("full", 6),
        ("abc", 6),
        ("été", 7),
        ("ete", 7),
    ],
)
async def test_terms_are_found_as_typed(searched: Store, query: str, number: int) -> None:
    assert await _found(searched, query) == [number]
    hit = (await searched.search.search(query)).messages[0]
    assert hit.highlights and hit.conversation_title == "Talk"
    assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.highlights)


@pytest.mark.parametrize(
    "query", ["", "   ", '"', "NEAR(", "a AND", "*", "body:x", "京東", "port", "\ud83d", "(", "-"]
)
async def test_syntax_and_blanks_are_only_text_that_is_not_there(
    searched: Store, query: str
) -> None:
    assert await _found(searched, query) in ([], [7])


async def test_newest_come_first_over_history_and_live_messages(store: Store) -> None:
    await fill(store, (conversation(),), tuple(message(f"m{n}", "same", at=n) for n in range(9)))
    events = [
        event(2 + n, MessageUpserted(message=message(f"m{n}", "same", at=n))) for n in range(9, 15)
    ]
    await store.cache.apply_events(events, 20)
    older = [message(f"m{n}", "same", at=-n) for n in range(90, 95)]
    await store.cache.apply_answers(messages=older, history=True)
    assert await _found(store, "same") == [*reversed(range(15)), *range(90, 95)]
    cut = await store.search.search("same", 5, 3)
    assert [hit.message_id for hit in cut.messages] == ["m14", "m13", "m12"]


async def test_people_are_found_with_the_newest_conversation_to_open(store: Store) -> None:
    await fill(
        store,
        (
            conversation("old", activity=1, contacts=("p1",)),
            conversation("new", activity=2, contacts=("p1", "p2")),
        ),
        contacts=(
            contact("p1", "Jürg Müller", organisation="Bergbahn AG"),
            contact("p2", "山田 太郎"),
            contact("p3", "Muller Alone"),
        ),
    )
    people = (await store.search.search("mull")).people
    assert [(hit.contact.contact_id, hit.conversation_id) for hit in people] == [
        ("p1", "new"),
        ("p3", None),
    ]
    assert (await store.search.search("bergb")).people[0].contact.contact_id == "p1"
    assert (await store.search.search("田")).people[0].contact.contact_id == "p2"


async def test_deleted_and_edited_text_is_no_longer_found(searched: Store) -> None:
    gone = message("m1", TEXTS[1], at=1, version=2, deleted=True)
    edited = message("m0", "Überweisung zurückgezogen", at=0, version=2)
    await searched.cache.apply_events(
        [event(2, MessageUpserted(message=gone)), event(3, MessageUpserted(message=edited))], 3
    )
    assert await _found(searched, "quarterly") == []
    assert await _found(searched, "strasse") == []
    assert await _found(searched, "zuruck") == [0]


def test_highlights_are_code_points_of_the_snippet() -> None:
    text = "👍🏽 Straße nach Zürich\nund zurück"
    shown, spans = Highlighter(("strasse", "zur")).snippet(text)
    assert [shown[start:end] for start, end in spans] == ["Straße", "Zür", "zur"]
    assert "\n" not in shown and len(shown) == len(text)


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("İstanbul ofisi", "İstanbul", "İstanbul"),
        ("Nguyễn Thị Phương", "phuong", "Phương"),
        ("Nguyễn Thị Phương", "Nguyễn", "Nguyễn"),
        ("q\u0304xz", "q\u0304x", "q\u0304x"),
        ("e\u0301te\u0301", "été", "e\u0301te\u0301"),
        ("เราทำงาน", "ทำ", "ทำ"),
        ("ค่าธรรมเนียม", "คา", "ค่า"),
        ("ราคา ฿500", "฿500", "500"),
        ("ｶﾌﾞｼｷ", "カブ", "ｶﾌﾞ"),
        ("カブシキ", "ｶﾌﾞ", "カブ"),
        ("か\u3099いと\u3099", "がい", "か\u3099い"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한", "\u1112\u1161\u11ab"),
        ("東京・大阪", "・大阪", "・大阪"),
        ("हिन्दी में", "हिन्दी", "हि"),
        ("Łukasz Søndergård", "lukasz", "Łukasz"),
        ("Łukasz Søndergård", "SONDERGARD", "Søndergård"),
        ("Anh Đặng", "dang", "Đặng"),
        ("Işık Holding", "ışık", "Işık"),
        ("Æbeltoft", "aebel", "Æbel"),
        ("Αθήνα", "αθηνα", "Αθήνα"),
        ("Королёв", "королев", "Королёв"),
        ("شُكْرًا", "شكرا", "شُكْرًا"),
        ("أحمد", "احمد", "أحمد"),
        ("שָׁלוֹם", "שלום", "שָׁלוֹם"),
    ],
)
async def test_other_spellings_of_the_same_letters_are_found_and_marked_whole(
    store: Store, text: str, query: str, marked: str
) -> None:
    await fill(store, (conversation(),), (message("m1", f"{text} quarterly", at=1),))
    # A long word is first looked for by its beginning alone: what is then found is checked here.
    for typed in (query, f"{query} quarterly"):
        (hit,) = (await store.search.search(typed)).messages
        shown = [hit.snippet[start:end] for start, end in hit.highlights]
        assert shown[0] == marked


async def test_a_client_is_named_in_a_filter_without_the_accents(store: Store) -> None:
    people = (contact("p1", "Nguyễn Thị Phương"), contact("p2", "คำแก้ว"))
    await fill(store, (conversation(),), contacts=people)
    assert await store.search.names("nguyen") == ("Nguyễn Thị Phương",)
    assert await store.search.names("คำ") == ("คำแก้ว",)


def test_a_long_text_is_cut_around_its_first_hit() -> None:
    text = "x " * 300 + "needle" + " y" * 300
    shown, spans = Highlighter(("needle",)).snippet(text)
    assert shown.startswith("…") and shown.endswith("…")
    assert len(shown) == SNIPPET_CHARS + 2
    assert [shown[start:end] for start, end in spans] == ["needle"]


def test_terms_hit_only_where_words_begin() -> None:
    _, spans = Highlighter(("art",)).snippet("start art artful 東京art")
    assert [start for start, _ in spans] == [6, 10, 19]
