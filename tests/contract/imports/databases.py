"""Makes small databases as Messages and Signal Desktop keep them, for the tests of their readers.

It never holds more columns than the readers and their schemas need.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

APPLE_EPOCH_S = 978_307_200
AT_S = 1_784_620_862  # 21 July 2026, 08:01:02 UTC


def typedstream(text: str) -> bytes:
    """Return an archived NSAttributedString as Messages writes it."""
    said = text.encode()
    if len(said) < 0x80:
        length = bytes([len(said)])
    elif len(said) < 0x8000:
        length = b"\x81" + len(said).to_bytes(2, "little")
    else:
        length = b"\x82" + len(said).to_bytes(4, "little")
    return (
        b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00"
        b"\x84\x84\x08NSObject\x00\x85\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+"
        + length
        + said
        + b"\x86\x84\x02iI\x01\x05\x92\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x00\x86\x86"
    )


def chat_db(path: Path) -> Path:
    """Write a chat.db of a Mac with a client's chat and a private one; returns its path."""
    database = sqlite3.connect(path)
    database.executescript("""
        PRAGMA journal_mode = WAL;
        CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, style INTEGER,
            chat_identifier TEXT, display_name TEXT);
        CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT, service TEXT);
        CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, attributedBody BLOB,
            subject TEXT, handle_id INTEGER, is_from_me INTEGER DEFAULT 0, date INTEGER,
            date_edited INTEGER DEFAULT 0, date_retracted INTEGER DEFAULT 0,
            item_type INTEGER DEFAULT 0, group_title TEXT, associated_message_guid TEXT,
            associated_message_type INTEGER DEFAULT 0, associated_message_emoji TEXT,
            thread_originator_guid TEXT);
        CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY, filename TEXT, transfer_name TEXT);
        CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);
        CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);
        CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER);
        INSERT INTO chat VALUES (1, 'iMessage;-;+336111', 45, '+336111', '');
        INSERT INTO chat VALUES (2, 'iMessage;-;mum', 45, 'mum', '');
        INSERT INTO handle VALUES (1, '+336111', 'iMessage'), (2, 'mum', 'iMessage');
        INSERT INTO chat_handle_join VALUES (1, 1), (2, 2);
        INSERT INTO attachment VALUES (1, '~/Library/Messages/x/scan.pdf', 'scan.pdf');
        INSERT INTO message_attachment_join VALUES (4, 1);
    """)
    ns = (AT_S - APPLE_EPOCH_S) * 10**9
    rows: list[dict[str, object]] = [
        {"guid": "G1", "text": "Bonjour", "handle_id": 1},
        {"guid": "G2", "attributedBody": typedstream("Réponse 🙂 " + "x" * 300), "is_from_me": 1},
        {"guid": "G3", "handle_id": 1, "associated_message_guid": "p:0/G2",
         "associated_message_type": 2001},
        {"guid": "G4", "text": "\ufffc", "handle_id": 1, "thread_originator_guid": "G2"},
        {"guid": "G5", "text": "corrected", "handle_id": 1, "date_edited": ns + 10**9},
        {"guid": "G6", "handle_id": 1, "date_retracted": ns + 10**9},
        {"guid": "G7", "is_from_me": 1, "associated_message_guid": "bp:G1",
         "associated_message_type": 2000},
        {"guid": "G8", "is_from_me": 1, "associated_message_guid": "bp:G1",
         "associated_message_type": 3000},
        {"guid": "P1", "text": "private words", "handle_id": 2},
    ]  # fmt: skip
    for number, row in enumerate(rows, 1):
        row |= {"ROWID": number, "date": ns + number * 10**9}
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO message ({names}) VALUES ({marks})", tuple(row.values()))
        chat = 2 if row["guid"] == "P1" else 1
        database.execute("INSERT INTO chat_message_join VALUES (?, ?)", (chat, number))
    database.commit()
    database.close()
    return path


SIGNAL_SCHEMA = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, json TEXT, type TEXT, name TEXT,
    profileFullName TEXT, e164 TEXT, serviceId TEXT);
CREATE TABLE messages (rowid INTEGER PRIMARY KEY, id TEXT, json TEXT, conversationId TEXT,
    sent_at INTEGER, type TEXT, body TEXT, sourceServiceId TEXT);
"""
SIGNAL_ROWS = (
    ("INSERT INTO conversations VALUES (?, '{}', ?, ?, ?, ?, ?)", (
        ("c1", "private", None, "Camille Roux", "+336111", "aci-camille"),
        ("c2", "private", "Mum", None, None, "aci-mum"),
        ("c0", "private", "Elena", None, None, "aci-elena"),
    )),
    ("INSERT INTO messages (id, json, conversationId, sent_at, type, body, sourceServiceId)"
     " VALUES (?, ?, ?, ?, ?, ?, ?)", (
        ("m1", json.dumps({"reactions": [{"emoji": "👍", "fromId": "aci-elena"}]}), "c1",
         AT_S * 1000, "incoming", "Bonjour", "aci-camille"),
        ("m2", json.dumps({"quote": {"id": AT_S * 1000},
                           "attachments": [{"fileName": "offer.pdf"}]}), "c1",
         AT_S * 1000 + 5, "outgoing", "See", "aci-elena"),
        ("m3", json.dumps({"deletedForEveryone": True}), "c1", AT_S * 1000 + 9, "incoming", None,
         "aci-camille"),
        ("p1", "{}", "c2", AT_S * 1000, "incoming", "private words", "aci-mum"),
    )),
)  # fmt: skip
