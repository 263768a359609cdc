"""Writes exports of made-up chats, as phones and programs write them.

It never holds anything a real person wrote.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

CHAT = (
    "[14/02/2026, 09:01:02] Camille: Bonjour Elena",
    "[14/02/2026, 09:02:00] Elena: Good morning 😀",
    "[15/02/2026, 10:00:00] Camille: \u200e<attached: terms.pdf>",
    "[31/07/2026, 18:30:00] Tonton Marc: à dimanche",
    "[31/07/2026, 18:31:00] Camille: 明日の会議は10時です",
)
AMBIGUOUS = (
    "[05/04/2026, 09:01:02] Camille: Bonjour Elena",
    "[06/04/2026, 09:02:00] Elena: Good morning",
)
PRIVATE = (
    "[14/02/2026, 09:01:02] Mamma: Ciao",
    "[14/02/2026, 09:02:00] Elena: Ciao",
)


def whatsapp_zip(folder: Path, lines: Sequence[str] = CHAT, title: str = "Camille") -> Path:
    """Write an iPhone's export with one file beside the text."""
    path = folder / f"WhatsApp Chat - {title}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", "\r\n".join(lines))
        archive.writestr("terms.pdf", b"%PDF-1.7")
    return path


def telegram_json(folder: Path) -> Path:
    """Write an account's export of two chats."""
    chats = [
        {
            "name": name,
            "type": "personal_chat",
            "id": number,
            "messages": [
                {
                    "id": 1,
                    "type": "message",
                    "date_unixtime": "1771059600",
                    "from": name,
                    "from_id": f"user{number}",
                    "text": f"hello from {name}",
                },
                {
                    "id": 2,
                    "type": "message",
                    "date_unixtime": "1771059660",
                    "from": "Elena",
                    "from_id": "user1",
                    "text": "hello",
                    "reply_to_message_id": 1,
                },
            ],
        }
        for number, name in ((7, "Camille Roux"), (8, "Mamma"))
    ]
    path = folder / "result.json"
    whole = {"personal_information": {"user_id": 1}, "chats": {"list": chats}}
    path.write_text(json.dumps(whole), "utf-8")
    return path


def chat_db(folder: Path) -> Path:
    """Write a Mac's database of Messages with two chats."""
    path = folder / "chat.db"
    base_ns = 793_000_000 * 1_000_000_000
    with closing(sqlite3.connect(path)) as base:
        base.executescript(
            "CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, chat_identifier TEXT,"
            " display_name TEXT, style INTEGER);"
            "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT);"
            "CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT,"
            " handle_id INTEGER, is_from_me INTEGER, date INTEGER, item_type INTEGER,"
            " associated_message_type INTEGER);"
            "CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);"
            "CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);"
        )
        for number, (address, text) in enumerate(
            (("+33611111111", "Bonjour Elena"), ("mamma@home.example", "private")), start=1
        ):
            guid = f"iMessage;-;{address}"
            base.execute("INSERT INTO chat VALUES (?, ?, ?, '', 45)", (number, guid, address))
            base.execute("INSERT INTO handle VALUES (?, ?)", (number, address))
            told = (number, f"m{number}", text, number, 0, base_ns + number, 0, 0)
            base.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)", told)
            base.execute("INSERT INTO chat_message_join VALUES (?, ?)", (number, number))
            base.execute("INSERT INTO chat_handle_join VALUES (?, ?)", (number, number))
        base.commit()
    return path


def line_txt(folder: Path) -> Path:
    """Write a phone's LINE export."""
    path = folder / "line.txt"
    lines = ("[LINE] Chat history with 花子", "", "2026/02/14(Sat)", "12:08\t花子\tこんにちは")
    path.write_text("\n".join(lines), "utf-8")
    return path


def sms_xml(folder: Path) -> Path:
    """Write a backup of one conversation by SMS."""
    path = folder / "sms.xml"
    rows = "".join(
        f'<sms address="+33611111111" date="{1771059600000 + number}" type="{kind}" '
        f'body="text {number}" read="1" contact_name="Camille Roux" />'
        for number, kind in enumerate((1, 2))
    )
    path.write_text(f'<?xml version="1.0"?><smses count="2">{rows}</smses>', "utf-8")
    return path
