"""The options of `import`.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

_FORMATS = (
    "whatsapp_txt",
    "telegram_json",
    "line_txt",
    "imessage_chat_db",
    "sms_backup_xml",
    "signal_desktop",
)
_ORDERS = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}


def add_import(command: argparse.ArgumentParser) -> None:
    """Fill the parser of `import`."""
    command.set_defaults(imports=True)
    command.description = (
        "Without --confirm nothing is stored: the chats, the people and what would come in are "
        "printed. Begin with the file alone, then say who each name is."
    )
    add = command.add_argument
    add("file", type=Path, metavar="FILE", help="the export, as the app made it")
    add("--data-dir", type=Path, required=True)
    add("--key-file", type=Path, metavar="FILE", help="holds the database key, else stdin tells it")
    add("--employee", required=True, metavar="ID", help="whose phone it was")
    add("--by", required=True, metavar="ID", help="who does this, for the log")
    add("--format", choices=_FORMATS, help="default: what the file looks like")
    add("--chat", default="", metavar="KEY", help="which chat of a file that holds several")
    add(
        "--person",
        action="append",
        default=[],
        metavar="NAME=WHO",
        help="once per name; WHO is me, contact:ID, new, new:NAME or unidentified",
    )
    add("--account", default="", metavar="ID", help="which of the employee's native accounts")
    add("--time-zone", default="", metavar="ZONE", help="of the phone (default: the employee's)")
    add("--day-order", choices=_ORDERS, help="how the phone writes dates, where that is open")
    add(
        "--signal-key-file",
        type=Path,
        metavar="FILE",
        help="Signal's config.json, or a file that holds the database's key in hex",
    )
    add(
        "--signal-password-file",
        type=Path,
        metavar="FILE",
        help="the keyring's password of Signal, as macos:PASSWORD or linux:PASSWORD",
    )
    add("--confirm", action="store_true", help="store it")


def day_order(short: str | None) -> str | None:
    """Return the order's name as the wire has it."""
    return None if short is None else _ORDERS[short]
