"""Files made to do harm are refused with a sentence, or read without doing any.

It never writes one to a disk.
"""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
from datetime import UTC

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
