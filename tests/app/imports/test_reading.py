"""Exports are read on this computer, told from other files, and matched with the book.

They never use a network or an export of a real person.
"""

from __future__ import annotations

import hashlib
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.domain.imports import Person, ReadAs, Suggestion, Who, figures_of
from app.imports.matching import suggestions
from app.imports.reading import ReadingStopped, Watch, read_export
from contract.ids import ContactId, EmployeeId, FirmId
from contract.imports.day_order import DayOrder
from contract.imports.model import Source
from contract.wire import Contact, Me
from tests.app.imports.files import AMBIGUOUS, line_txt, sms_xml, telegram_json, whatsapp_zip

PARIS = ReadAs("Europe/Paris")
ME = Me(
    employee_id=EmployeeId("e1"),
    firm_id=FirmId("f1"),
    display_name="Elena Marchetti",
    initials="EM",
    roles=(),
    time_zone="Europe/Paris",
    language="en",
)


def _watch() -> Watch:
    return Watch(lambda _fraction: None)


def _contact(number: int, name: str) -> Contact:
    return Contact(contact_id=ContactId(f"c{number}"), version=1, display_name=name, initials="C")


def test_a_whatsapp_archive_is_read_with_its_figures_and_its_hash(tmp_path: Path) -> None:
    path = whatsapp_zip(tmp_path)
    export = read_export(path, PARIS, _watch())
    assert export.source is Source.WHATSAPP_TEXT and export.file_name == path.name
    assert export.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not export.has_zone and export.readings is None
    figures = figures_of(export.chats[0])
    assert (figures.messages, figures.files) == (5, 1)
    assert figures.by_name == {"Camille": 3, "Elena": 1, "Tonton Marc": 1}
    first = datetime.fromtimestamp(figures.first_utc_ms / 1000, UTC)
    assert first == datetime(2026, 2, 14, 8, 1, 2, tzinfo=UTC)


def test_a_zipped_folder_of_telegram_is_told_from_whatsapps_archive(tmp_path: Path) -> None:
    path = tmp_path / "ChatExport_2026-02-14.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ChatExport/photos/photo_1.jpg", b"photo")
        archive.write(telegram_json(tmp_path), "ChatExport/result.json")
    telegram = read_export(path, PARIS, _watch())
    assert telegram.source is Source.TELEGRAM_JSON
    assert [chat.title for chat in telegram.chats] == ["Camille Roux", "Mamma"]


def test_the_other_formats_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    telegram = read_export(telegram_json(tmp_path), PARIS, _watch())
    assert [chat.title for chat in telegram.chats] == ["Camille Roux", "Mamma"]
    assert telegram.has_zone and telegram.source is Source.TELEGRAM_JSON
    line = read_export(line_txt(tmp_path), PARIS, _watch())
    assert line.source is Source.LINE_TEXT and not line.has_zone and line.order is None
    sms = read_export(sms_xml(tmp_path), PARIS, _watch())
    assert sms.source is Source.SMS_BACKUP and sms.chats[0].title == "Camille Roux"


def test_an_order_of_days_that_is_not_sure_comes_with_an_example(tmp_path: Path) -> None:
    path = whatsapp_zip(tmp_path, AMBIGUOUS)
    export = read_export(path, PARIS, _watch())
    assert export.readings is not None and export.readings.as_written == "05/04/2026"
    days = {order: day.isoformat() for order, day in export.readings.days}
    assert days == {DayOrder.DAY_FIRST: "2026-04-05", DayOrder.MONTH_FIRST: "2026-05-04"}
    chosen = read_export(path, ReadAs("Europe/Paris", DayOrder.MONTH_FIRST), _watch())
    assert chosen.chats[0].messages[0].local_stamp.startswith("2026-05-04")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("photo.png", b"\x89PNG\r\n\x1a\n\x00\x00", "no chat that Parley can read"),
        ("chat.db", b"SQLite format 3\x00" + b"\x00" * 200, ""),
        ("empty.txt", b"", "is empty"),
        ("notes.txt", b"milk\nbread", "WhatsApp"),
        ("feed.xml", b"<rss></rss>", "SMS Backup"),
        ("messages.html", b"<!DOCTYPE html><html></html>", "Machine-readable JSON"),
        ("msgstore.db.crypt15", b"\x12\x34\x00", "Export chat"),
        ("other.json", b'{"a": 1}', "Telegram Desktop"),
        ("broken.zip", b"PK\x03\x04 and nothing else", ""),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_plain_words(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        read_export(path, PARIS, _watch())
    assert words in refused.value.detail and refused.value.detail.endswith((".", "”"))


def test_a_locked_archive_a_folder_and_a_lost_file_say_so(tmp_path: Path) -> None:
    locked = whatsapp_zip(tmp_path)
    content = bytearray(locked.read_bytes())
    with zipfile.ZipFile(locked) as archive:
        at = [content.find(b"PK\x01\x02")]
        at.append(content.find(b"PK\x01\x02", at[0] + 1))
        assert len(archive.infolist()) == len(at)
    for place in at:
        content[place + 8] |= 1  # “encrypted”, in the general purpose flags of a zip's directory
    locked.write_bytes(bytes(content))
    for path, words in (
        (locked, "locked with a password"),
        (tmp_path, "folder"),
        (tmp_path / "gone.zip", "can’t be read"),
    ):
        with pytest.raises(Refused, match=words):
            read_export(path, PARIS, _watch())


def test_a_file_beyond_the_limit_is_refused_before_anybody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.imports.reading.MOST_FILE_BYTES", 100)
    with pytest.raises(Refused, match="larger than 4 GB"):
        read_export(whatsapp_zip(tmp_path), PARIS, _watch())
    assert len(read_export(telegram_json(tmp_path), PARIS, _watch()).chats) == 2


def test_a_reading_ends_once_it_is_stopped(tmp_path: Path) -> None:
    told: list[float] = []
    watch = Watch(told.append)
    watch.stop()
    with pytest.raises(ReadingStopped):
        read_export(whatsapp_zip(tmp_path), PARIS, watch)
    assert told == []


def test_likenesses_are_suggested_and_never_taken_for_sure(tmp_path: Path) -> None:
    chat = read_export(whatsapp_zip(tmp_path), PARIS, _watch()).chats[0]
    book = [_contact(1, "Camille Roux"), _contact(2, "Hana Watanabe")]
    found = suggestions(chat, ME, book)
    camille = Person(Who.CLIENT, ContactId("c1"), "Camille Roux")
    assert found == {
        "Camille": Suggestion(camille, "Name fits"),
        "Elena": Suggestion(Person(Who.ME, name="Elena Marchetti"), "Name fits"),
    }
    exact = suggestions(chat, None, [*book, _contact(3, "camille")])
    assert exact["Camille"].why == "Same name" and exact["Camille"].person.contact_id == "c3"


def test_two_likenesses_suggest_nobody(tmp_path: Path) -> None:
    chat = read_export(whatsapp_zip(tmp_path), PARIS, _watch()).chats[0]
    book = [_contact(1, "Camille Roux"), _contact(2, "Camille Blanc"), _contact(3, "Elena Rossi")]
    assert suggestions(chat, ME, book) == {}


def test_a_number_is_suggested_by_the_name_the_phone_had_for_it(tmp_path: Path) -> None:
    chat = read_export(sms_xml(tmp_path), PARIS, _watch()).chats[0]
    found = suggestions(chat, ME, [_contact(1, "Camille Roux")])
    assert found["+33611111111"].why == "Saved on the phone as"


def test_the_owner_of_an_account_is_suggested_as_oneself(tmp_path: Path) -> None:
    chat = read_export(telegram_json(tmp_path), PARIS, _watch()).chats[0]
    found = suggestions(chat, ME, [_contact(1, "Camille Roux")])
    assert found["Elena"] == Suggestion(
        Person(Who.ME, name="Elena Marchetti"), "The phone is yours"
    )
    assert found["Camille Roux"].why == "Same name"
