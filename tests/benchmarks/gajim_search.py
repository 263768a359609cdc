"""Times Gajim's own search functions over a history of its own kind, run by the system's Python.

It never touches a user's Gajim: its folders are temporary, and no window or account is opened.

Usage: /usr/bin/python3 gajim_search.py FOLDER < terms.json; prints {"all": [ms], "one": [ms]}.
FOLDER holds logs.db as `write_history` makes it. Only the standard library and Gajim are imported.
"""

from __future__ import annotations

import importlib
import itertools
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HISTORY_FILE = "logs.db"
ACCOUNT, OWN_JID = "bench", "me@bench.example"
HITS = 50
_RECEIVED = 4  # KindConstant.CHAT_MSG_RECV
_INSERT = (
    "INSERT INTO logs (account_id, jid_id, contact_name, time, kind, message, additional_data)"
    " VALUES (1, ?, ?, ?, ?, ?, '{}')"
)


def write_history(
    folder: Path, statements: str, rows: Iterable[tuple[int, str, float, str]]
) -> None:
    """Write chats as Gajim keeps them: (number of the chat, name, time in s, text), oldest first.

    `statements` makes its tables.
    """
    database = sqlite3.connect(folder / HISTORY_FILE)
    database.executescript(statements)
    chats: set[int] = set()

    def filled() -> Iterator[tuple[int, str, float, int, str]]:
        for number, name, at_s, words in rows:
            chats.add(number)
            yield number + 2, name, at_s, _RECEIVED, words

    with database:
        database.executemany(_INSERT, filled())
        database.execute("INSERT INTO jids VALUES (1, ?, 0)", (OWN_JID,))
        database.executemany(
            "INSERT INTO jids VALUES (?, ?, 0)", [(one + 2, _jid(one)) for one in chats]
        )
    database.close()


def main(folder: Path) -> int:
    """Run the searches and print their times; returns the exit status."""
    terms = json.load(sys.stdin)
    storage = _storage(folder)
    big: Any = importlib.import_module("nbxmpp").JID.from_string(_jid(0))
    took = {
        "all": [_took_ms(storage.search_all_logs, term) for term in terms],
        "one": [_took_ms(storage.search_log, ACCOUNT, big, term) for term in terms],
    }
    print(json.dumps(took))
    return 0


def tables() -> str:
    """Return the statements with which this Gajim makes its history's tables."""
    module: Any = importlib.import_module("gajim.common.storage.archive")
    return str(module.ARCHIVE_SQL_STATEMENT)


def _storage(folder: Path) -> Any:
    app: Any = importlib.import_module("gajim.common.app")
    configpaths: Any = importlib.import_module("gajim.common.configpaths")
    configpaths.set_config_root(str(folder))
    configpaths.init()
    app.settings = SimpleNamespace(get_active_accounts=lambda: [ACCOUNT])
    nbxmpp: Any = importlib.import_module("nbxmpp")
    app.get_jid_from_account = lambda account: nbxmpp.JID.from_string(OWN_JID)
    module: Any = importlib.import_module("gajim.common.storage.archive")
    module.log.setLevel("ERROR")
    storage = module.MessageArchiveStorage()
    storage.init()
    return storage


def _took_ms(search: Callable[..., Iterator[Any]], *arguments: Any) -> float:
    began = time.perf_counter()
    list(itertools.islice(search(*arguments), HITS))
    return (time.perf_counter() - began) * 1e3


def _jid(number: int) -> str:
    return f"chat{number}@bench.example"


if __name__ == "__main__":
    if sys.argv[1] == "--tables":
        print(tables())
    else:
        sys.exit(main(Path(sys.argv[1])))
