"""WhatsApp's exports are read as the phone wrote them, in the locales that phones have.

It never opens an export of a real person.
"""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Collection
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from contract.imports.day_order import DayOrder
from contract.imports.identity import message_identities
from contract.imports.line_heads import split_head
from contract.imports.model import ImportedChat, ImportedKind, ImportRefused, Source
from contract.imports.opening import read_chats
from contract.imports.whatsapp import read_chat, take_apart
from contract.imports.whatsapp_zip import read_archive, title_of

PARIS = ZoneInfo("Europe/Paris")

# One line of each way of writing seen or documented; all mean 21 July 2026, 09:01 or 21:01.
HEADS = {
    "ios, 24 h": ("[21/07/2026, 09:01:02] Ana: x", 9),
    "ios, us": ("[7/21/26, 9:01:02\u202fAM] Ana: x", 9),
    "ios, us, evening": ("[7/21/26, 9:01:02\u202fPM] Ana: x", 21),
    "ios, german": ("[21.07.26, 09:01:02] Ana: x", 9),
    "ios, japanese": ("[2026/07/21 午後9:01:02] Ana: x", 21),
    "ios, simplified chinese": ("[2026/7/21 下午9:01:02] Ana: x", 21),
    "ios, korean": ("[2026. 7. 21. 오후 9:01:02] Ana: x", 21),
    "ios, finnish": ("[21.7.2026 klo 9.01.02] Ana: x", 9),
    "ios, danish": ("[21.07.2026 09.01.02] Ana: x", 9),
    "ios, with a mark before": ("\u200e[21/07/2026, 09:01:02] Ana: x", 9),
    "android, 24 h": ("21/07/2026, 09:01 - Ana: x", 9),
    "android, us": ("7/21/26, 9:01 PM - Ana: x", 21),
    "android, narrow blank": ("7/21/26, 9:01\u202fpm - Ana: x", 21),
    "android, german": ("21.07.26, 09:01 - Ana: x", 9),
    "android, spanish": ("21/7/26, 9:01 p.\u00a0m. - Ana: x", 21),
    "android, swedish": ("2026-07-21 09:01 - Ana: x", 9),
    "android, dutch": ("21-07-2026 09:01 - Ana: x", 9),
    "android, korean": ("2026년 7월 21일 오후 9:01, Ana : x", 21),
    "android, japanese": ("2026/07/21 9:01 - Ana: x", 9),
    "android, taiwan": ("2026/7/21 下午9:01 - Ana: x", 21),
    "android, bulgarian": ("21.07.26 г., 9:01 ч. - Ana: x", 9),
    "android, vietnamese": ("09:01, 21/07/2026 - Ana: x", 9),
    "android, arabic digits": ("٢١\u200f/٧\u200f/٢٠٢٦, ٩:٠١ م - Ana: x", 21),
    "android, thai years": ("21/7/2569 09:01 - Ana: x", 9),
    "android, czech": ("21. 7. 2026 9:01 - Ana: x", 9),
    "android, greek": ("21/7/26, 9:01 μ.μ. - Ana: x", 21),
    "android, hindi": ("21/7/26, 9:01 अपराह्न - Ana: x", 21),
}


def chat_of(
    text: str, *, title: str = "", order: DayOrder | None = None, files: Collection[str] = ()
) -> ImportedChat:
    """Read an export as a phone in Paris made it."""
    return read_chat(take_apart(text), PARIS, title=title, order=order, files=files)


@pytest.mark.parametrize(("line", "hour"), HEADS.values(), ids=HEADS.keys())
def test_a_message_is_found_however_the_phone_writes_dates(line: str, hour: int) -> None:
    (message,) = chat_of(line).messages
    assert message.local_stamp[:16] == f"2026-07-21T{hour:02d}:01"
    assert (message.sender, message.text) == ("Ana", "x")


@pytest.mark.parametrize(
    "line",
    [
        "see you at 9:01 - or later",
        "[sic] he said",
        "21/07/2026 is the day",
        "12:30 - 13:30: lunch",
        "",
    ],
)
def test_a_line_of_a_text_is_no_head(line: str) -> None:
    assert split_head(line) is None


def test_lines_without_a_head_go_on_with_the_message() -> None:
    chat = chat_of("21/07/2026, 09:01 - Ana: one\n\n  two\n21/07/2026, 09:02 - Ben: three\n")
    assert [each.text for each in chat.messages] == ["one\n\n  two", "three"]


def test_the_whole_file_decides_whether_days_come_first() -> None:
    export = take_apart("3/4/26, 9:01 AM - Ana: a\n3/14/26, 9:01 AM - Ana: b")
    assert export.order.order is DayOrder.MONTH_FIRST
    assert export.order.is_sure
    assert export.order.evidence == "03/14/26"


def test_an_order_that_nothing_shows_is_told_and_can_be_chosen() -> None:
    text = "03/04/2026, 09:01 - Ana: a\n04/04/2026, 09:01 - Ana: b"
    assert not take_apart(text).order.is_sure
    chat = chat_of(text)
    assert chat.messages[0].local_stamp.startswith("2026-04-03")  # time runs forward so
    assert "check" in chat.notes[0]
    chosen = chat_of(text, order=DayOrder.MONTH_FIRST)
    assert chosen.messages[0].local_stamp.startswith("2026-03-04")
    assert chosen.notes == ()


def test_a_pasted_line_that_only_looks_like_a_head_stays_text() -> None:
    lines = [f"{day:02d}/07/2026, 09:01 - Ana: {day}" for day in range(1, 29)] * 10
    lines.insert(14, "99/99/2026, 10:00 - no date")
    chat = chat_of("\n".join(lines))
    assert len(chat.messages) == 280
    assert "no date" in chat.messages[13].text


def test_lines_that_look_pasted_are_told() -> None:
    pasted = (
        "[21/07/2026, 09:01:02] Ana: look what he said",
        "[14/05/2026, 10:00:00] Ben: I agree to it",
        "[21/07/2026, 09:02:00] Ana: see?",
    )
    (note,) = chat_of("\n".join(pasted)).notes
    assert note.startswith("1 messages tell a time of days before")
    travelled = pasted[0], pasted[2].replace("21/07/2026, 09", "20/07/2026, 10")
    assert chat_of("\n".join(travelled)).notes == ()


def test_lines_of_the_app_have_no_sender() -> None:
    chat = chat_of(
        "21/07/2026, 09:00 - Messages and calls are end-to-end encrypted.\n"
        "21/07/2026, 09:01 - Ana changed the subject to “Fees: new”\n"
        "21/07/2026, 09:02 - Ana: Fees: old"
    )
    assert [each.kind for each in chat.messages] == [
        ImportedKind.SYSTEM, ImportedKind.SYSTEM, ImportedKind.MESSAGE,
    ]  # fmt: skip
    assert chat.messages[2].text == "Fees: old"
    assert chat.participants == ("Ana",)


def test_iphones_mark_what_the_app_says() -> None:
    chat = chat_of(
        "[21/07/2026, 09:00:00] Team: \u200eMessages and calls are end-to-end encrypted.\n"
        "\u200e[21/07/2026, 09:01:00] Ana: \u200e<attached: 00000002-PHOTO.jpg>\n"
        "[21/07/2026, 09:02:00] Ana: \u200eimage omitted\n"
        "[21/07/2026, 09:03:00] Ana: \u200eThis message was deleted.\n"
        "[21/07/2026, 09:04:00] Ana: Fine \u200e<This message was edited>",
        files=["00000002-PHOTO.jpg"],
    )
    system, photo, omitted, deleted, edited = chat.messages
    assert (system.kind, system.sender) == (ImportedKind.SYSTEM, "")
    assert (photo.files, photo.text) == (("00000002-PHOTO.jpg",), "")
    assert (omitted.missing_files, omitted.text) == (1, "")
    assert deleted.kind is ImportedKind.DELETED
    assert (edited.text, edited.edited) == ("Fine", True)


@pytest.mark.parametrize(
    "words", ["file attached", "Datei angehängt", "fichier joint", "archivo adjunto"]
)
def test_android_files_are_found_with_their_captions(words: str) -> None:
    chat = chat_of(
        f"21/07/2026, 09:01 - Ana: IMG-20260721-WA0001.jpg ({words})\nthe house",
        files=["IMG-20260721-WA0001.jpg"],
    )
    (message,) = chat.messages
    assert (message.files, message.text) == (("IMG-20260721-WA0001.jpg",), "the house")


def test_a_file_that_the_export_left_out_is_counted() -> None:
    chat = chat_of(
        "21/07/2026, 09:01 - Ana: a.pdf (file attached)\n21/07/2026, 09:02 - Ana: <Media omitted>",
        files=["other.jpg"],
    )
    assert [each.missing_files for each in chat.messages] == [1, 1]
    assert any("2 files were left out" in note for note in chat.notes)
    assert any("belong to no message" in note for note in chat.notes)


@pytest.mark.parametrize(
    "words", ["<Media omitted>", "<Medien ausgeschlossen>", "<Mídia oculta>", "<省略多媒体文件>"]
)
def test_a_caption_below_a_file_that_was_left_out_is_kept(words: str) -> None:
    (message,) = chat_of(f"21/07/2026, 09:01 - Ana: {words}\nthe house").messages
    assert (message.text, message.missing_files) == ("the house", 1)


@pytest.mark.parametrize("words", ["image omitted", "Bild weggelassen", "画像は省略されました"])
def test_an_iphones_caption_stands_before_the_apps_words(words: str) -> None:
    line = "[21/07/2026, 09:01:00] Ana: the house "
    (left_out,) = chat_of(f"{line}\u200e{words}\u200e <This message was edited>").messages
    assert (left_out.text, left_out.missing_files, left_out.edited) == ("the house", 1, True)
    (held,) = chat_of(f"{line}\u200e<attached: 1-PHOTO.jpg>", files=["1-PHOTO.jpg"]).messages
    assert (held.text, held.files) == ("the house", ("1-PHOTO.jpg",))
    (typed,) = chat_of(f"{line}{words}").messages
    assert (typed.text, typed.missing_files) == (f"the house {words}", 0), "a person's own words"


def test_the_hour_that_comes_twice_runs_forward() -> None:
    chat = chat_of(
        "[25/10/2026, 02:50:00] Ana: a\n[25/10/2026, 02:10:00] Ana: b\n"
        "[25/10/2026, 03:10:00] Ana: c"
    )
    a, b, c = (each.at_utc_ms for each in chat.messages)
    assert a < b < c
    assert datetime.fromtimestamp(a / 1000, UTC).hour == 0


def test_importing_twice_knows_every_message_whatever_zone_was_chosen() -> None:
    text = "21/07/2026, 09:01 - Ana: ok\n21/07/2026, 09:01 - Ana: ok\n21/07/2026, 09:01 - Ben: ok"
    first = message_identities(chat_of(text, title="Ana"))
    again = message_identities(read_chat(take_apart(text), UTC, title="Ana"))
    assert len(set(first)) == 3
    assert again == first
    longer = message_identities(chat_of(f"20/07/2026, 09:01 - Ana: ok\n{text}", title="Ana"))
    assert longer[1:] == first


def test_a_text_that_is_no_export_is_refused_in_words() -> None:
    for text in ("", "hello", "Dear Ana,\n[21/07/2026, 09:01:02] Ana: x"):
        with pytest.raises(ImportRefused):
            take_apart(text)


def test_the_archive_gives_text_title_and_files() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("WhatsApp Chat with Camille.txt", "21/07/2026, 09:01 - Camille: Oui")
        archive.writestr("IMG-1.jpg", b"x")
        archive.writestr("__MACOSX/._IMG-1.jpg", b"x")
    found = read_archive(packed, "export.zip")
    assert (found.title, found.files) == ("Camille", ("IMG-1.jpg",))
    assert title_of("WhatsApp Chat - Camille (1).zip") == "Camille"
    assert title_of("WhatsApp-Chat mit Camille Roux.zip") == "Camille Roux"


def test_a_damaged_or_foreign_archive_is_refused_in_words() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", b"x")
    with pytest.raises(ImportRefused, match="no chat"):
        read_archive(packed, "a.zip")
    with pytest.raises(ImportRefused, match="UTF-8"):
        read_archive(io.BytesIO("Käse".encode("latin-1")), "a.txt")
    cut = packed.getvalue()[:20] + b"\0" * 30 + packed.getvalue()[50:]
    with pytest.raises(ImportRefused):
        read_archive(io.BytesIO(cut), "a.zip")


def test_a_long_chat_takes_little_more_than_its_messages() -> None:
    days = (f"{1 + n // 2000:02d}/07/2026, 09:{n % 60:02d}:00" for n in range(40_000))
    text = "\n".join(f"[{day}] Camille Roux: Merci 👍 number {n}" for n, day in enumerate(days))
    content = text.encode()
    tracemalloc.start()
    try:
        chat = read_chats(io.BytesIO(content), Source.WHATSAPP_TEXT, "x.txt", UTC)[0]
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 900 * len(chat.messages)
