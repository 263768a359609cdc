"""Files made to do harm are refused with a sentence, or read without doing any.

It never writes one to a disk.
"""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from backend.imports.contents import ExportFiles
from contract.imports.model import ImportRefused, Source
from contract.imports.opening import read_chats

LINE = "[14/02/2026, 09:01:02] Camille: "


def archive(files: dict[str, bytes]) -> io.BytesIO:
    """Return a zip archive of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return made


def read(file: io.BytesIO) -> int:
    """Return how many messages a WhatsApp export holds."""
    return len(read_chats(file, Source.WHATSAPP_TEXT, "x.zip", UTC)[0].messages)


def test_bomb_is_refused_without_being_unpacked() -> None:
    named = LINE + "<attached: big.bin>\n"
    whole = archive({"_chat.txt": named.encode(), "big.bin": b"\0" * 101 * 1024 * 1024})
    tracemalloc.start()
    try:
        chat = read_chats(whole, Source.WHATSAPP_TEXT, "x.zip", UTC)[0]
        files = ExportFiles(whole, chat)
        assert len(files) == 0
        assert files.read("big.bin") is None
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_directory_of_endless_entries_is_not_read() -> None:
    content = bytearray(archive({"_chat.txt": LINE.encode()}).getvalue())
    at = content.rfind(b"PK\x05\x06")
    content[at + 12 : at + 16] = (500 * 1024 * 1024).to_bytes(4, "little")
    with pytest.raises(ImportRefused, match=r"larger|damaged"):
        read(io.BytesIO(bytes(content)))


def test_paths_lead_nowhere() -> None:
    text = LINE + "<attached: passwd>\n" + LINE + "<attached: ../../etc/shadow>\n"
    made = archive(
        {"_chat.txt": text.encode(), "../../etc/passwd": b"inside", "C:\\x\\win.ini": b"inside"}
    )
    chat = read_chats(made, Source.WHATSAPP_TEXT, "x.zip", UTC)[0]
    files = ExportFiles(made, chat)
    assert files.read("passwd") == b"inside"
    assert files.read("../../etc/shadow") is None
    assert files.read("/etc/passwd") is None


def test_endless_lines_take_no_endless_time() -> None:
    begun = time.thread_time()
    assert read(io.BytesIO((LINE + "a " * 2_000_000).encode())) == 1
    assert read(io.BytesIO((LINE + "x\n" + "[" * 200_000 + "\n" + "1/" * 200_000).encode())) == 1
    assert read(io.BytesIO((LINE + "x\n" + "\u200e" * 500_000 + "12.").encode())) == 1
    assert time.thread_time() - begun < 20


def test_damaged_archive_is_refused_with_a_sentence() -> None:
    whole = archive({"_chat.txt": (LINE * 50).encode()}).getvalue()
    for at in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        try:
            read(io.BytesIO(bytes(broken)))
        except ImportRefused as refused:
            assert str(refused).endswith(".")


def test_json_that_nests_without_end_is_refused() -> None:
    nested = b"[" * 100_000 + b"]" * 100_000
    deep = b'{"name":"x","type":"personal_chat","id":1,"messages":[{"id":1,"z":' + nested + b"}]}"
    with pytest.raises(ImportRefused, match="Telegram Desktop"):
        read_chats(io.BytesIO(deep), Source.TELEGRAM_JSON, "result.json", UTC)


def test_nothing_but_line_ends_takes_no_memory_for_each() -> None:
    ends = archive({"_chat.txt": LINE.encode() + b"\n" * 24_000_000})
    line = io.BytesIO(b"[LINE] Chat history with Ana\n2025/04/18\n" + b"\n" * 24_000_000)
    for made, source in ((ends, Source.WHATSAPP_TEXT), (line, Source.LINE_TEXT)):
        tracemalloc.start()
        try:
            with pytest.raises(ImportRefused, match="two million lines"):
                read_chats(made, source, "x.zip", UTC)
            assert tracemalloc.get_traced_memory()[1] < 120 * 1024 * 1024
        finally:
            tracemalloc.stop()


def test_directory_that_hides_behind_a_second_mark_is_not_read() -> None:
    content = bytearray(archive({"_chat.txt": LINE.encode()}).getvalue())
    at = content.rfind(b"PK\x05\x06")
    content[at + 4 : at + 8] = b"PK\x05\x06"  # where the reader looks for a number of disks
    content[at + 12 : at + 16] = (500 * 1024 * 1024).to_bytes(4, "little")
    with pytest.raises(ImportRefused, match="larger than any"):
        read(io.BytesIO(bytes(content)))


def test_one_file_that_endless_messages_name_fills_no_disk() -> None:
    named = (LINE + "<attached: big.bin>\n") * 2_200
    made = archive({"_chat.txt": named.encode(), "big.bin": b"\0" * 10 * 1024 * 1024})
    chat = read_chats(made, Source.WHATSAPP_TEXT, "x.zip", UTC)[0]
    with pytest.raises(ImportRefused, match="so often"):
        ExportFiles(made, chat)


@pytest.mark.parametrize("when", ["1" + "0" * 5000, "9" * 16, "-5", "1e9", ""])
def test_telegram_message_of_no_possible_time_is_told_and_hides_no_other(when: str) -> None:
    said = [
        {"id": 1, "type": "message", "date_unixtime": when, "from": "Ana", "text": "a"},
        {"id": 2, "type": "message", "date_unixtime": "1753088400", "from": "Ana", "text": "b"},
        {
            "id": 3,
            "type": "message",
            "date_unixtime": "1753088401",
            "from": "Ana",
            "text": "c",
            "edited_unixtime": when,
        },
    ]
    whole = json.dumps({"name": "x", "type": "personal_chat", "id": 1, "messages": said})
    chat = read_chats(io.BytesIO(whole.encode()), Source.TELEGRAM_JSON, "result.json", UTC)[0]
    assert [message.text for message in chat.messages] == ["b", "c"]
    assert chat.messages[1].edited_at_utc_ms is None
    assert chat.notes == ("1 messages tell no time or no number and could not be placed.",)


def test_line_day_before_line_began_is_a_text() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    text = "[LINE] Chat history with Ana\n2025/04/18\n12:08\tAna\ta\n0001/01/01\n00:05\tAna\tb\n"
    chat = read_chats(io.BytesIO(text.encode()), Source.LINE_TEXT, "x.txt", zone)[0]
    assert [message.text for message in chat.messages] == ["a\n0001/01/01", "b"]


def test_backup_of_empty_elements_takes_no_endless_time_and_holds_none() -> None:
    filler = b"<sms/>" * 1_000_000 + b"<other/>" * 500_000
    body = b'<sms address="+1" date="1753088400000" type="1" body="a"/>'
    begun = time.thread_time()
    file = io.BytesIO(b"<smses>" + filler + body + b"</smses>")
    chat = read_chats(file, Source.SMS_BACKUP, "x.xml", UTC)[0]
    assert len(chat.messages) == 1
    assert time.thread_time() - begun < 30


def test_line_text_of_endless_lines_takes_no_endless_time() -> None:
    head = "[LINE] Chat history with Ana\n2025/04/18\n12:08\tAna\ta\n"
    begun = time.thread_time()
    file = io.BytesIO((head + "goes on and on and on\n" * 300_000).encode())
    chat = read_chats(file, Source.LINE_TEXT, "x.txt", UTC)[0]
    assert chat.messages[0].text.count("\n") == 300_000
    assert time.thread_time() - begun < 20
