"""Writes exports of made-up chats, as phones and programs write them.

It never holds anything a real person wrote.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
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
