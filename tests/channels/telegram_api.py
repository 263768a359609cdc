"""The peer telegram-test-api with a client person, killed and started again.

It never reaches Telegram itself.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.channels.peers import NONE_KEPT, answers, free_port, require_peer, running

TOKEN = "123:of-this-peer"
# What a killed peer knew is gone; Telegram's own numbers would go on, so these do.
_START = (
    "const api = require('telegram-test-api'); const TelegramServer = api.TelegramServer || api;"
    "const server = new TelegramServer({{port: {port}, host: '127.0.0.1', storage: 'RAM',"
    " storeTimeout: 600}}); server.updateId = server.messageId = {first}; server.start();"
)
_NUMBERS_A_START = 1000


class TelegramApi:
    """The peer on one port; `url` is its address."""

    def __init__(self, folder: Path) -> None:
        self._peer, self.port, self._folder = require_peer("telegram-test-api"), free_port(), folder
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._running = contextlib.ExitStack()
        self._starts = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def start(self) -> None:
        """Start it and wait until it answers."""
        first = 1 + self._starts * _NUMBERS_A_START
        self._starts += 1
        command = ["node", "-e", _START.format(port=self.port, first=first)]
        where = {"NODE_PATH": str(self._peer / "node_modules")}
        self._process = self._running.enter_context(
            running(command, self._folder, answers(self.url), where)
        )

    def kill(self) -> None:
        """Kill it with SIGKILL; what it had in memory is gone."""
        assert self._process is not None, "it was not started"
        self._process.kill()
        self._process.wait(60)


class TelegramPerson:
    """A client with the Telegram app, in a chat with the bot; `seen` is what they were written."""

    def __init__(self, url: str, number: int, name: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60.0, limits=NONE_KEPT, trust_env=False)
        self._number, self._name = number, name
        self._seen: list[str] = []

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def says(self, text: str) -> None:
        """Write to the bot."""
        person = {"id": self._number, "first_name": self._name, "is_bot": False}
        chat = person | {"type": "private"}
        at = int(time.time())
        document = {"botToken": TOKEN, "from": person, "chat": chat, "text": text, "date": at}
        self._http.post("/sendMessage", json=document).raise_for_status()

    def seen(self) -> list[str]:
        """Return all they were written, oldest first, as their phone keeps it."""
        asked = {"token": TOKEN, "chatId": self._number}
        told = self._http.post("/getUpdates", json=asked).raise_for_status().json()
        self._seen += [each["message"]["text"] for each in told["result"]]
        return list(self._seen)
