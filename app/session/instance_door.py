"""Owns the door by which a second start of Parley reaches the one that runs.

It never lets anything in but a link or the wish to be shown, from whoever can read the data folder.

The running Parley listens on the loopback address and leaves port and secret in a file that its
user alone can read. The link is handed on as it came: whoever opens the door parses it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

DOOR_FILE = "parley.running"
_HOST = "127.0.0.1"
_SECRET_BYTES = 32
_LONGEST_LINE = 2_048
_ANSWER_WITHIN_S = 3.0
_TAKEN = b"taken\n"


def knock(data_dir: Path, link: str = "", *, quietly: bool = False) -> bool:
    """Hand a link to the Parley that runs over this folder; return whether it took it.

    "" asks it to come to the front; `quietly` only asks whether it is there. Blocks for 3 s at
    most, and costs one look at the folder when nobody is there.
    """
    try:
        left = (data_dir / DOOR_FILE).read_text("ascii").split()
        port, secret, pid = int(left[0]), left[1], int(left[2])
    except (OSError, ValueError, IndexError):
        return False
    import json
    import socket

    _allow_to_front(pid)
    line = json.dumps({"secret": secret, "link": link[:1_000], "quietly": quietly})
    try:
        with socket.create_connection((_HOST, port), _ANSWER_WITHIN_S) as line_to_it:
            line_to_it.settimeout(_ANSWER_WITHIN_S)
            line_to_it.sendall(line.encode() + b"\n")
            return line_to_it.recv(len(_TAKEN)) == _TAKEN
    except (OSError, OverflowError):
        return False


class InstanceDoor:
    """Listens while the window lives; `on_knock` gets the link as it came, "" without one."""

    def __init__(self, data_dir: Path, on_knock: Callable[[str], None]) -> None:
        self._path = data_dir / DOOR_FILE
        self._on_knock = on_knock
        self._server: asyncio.Server | None = None
        self._secret = ""

    async def open(self) -> None:
        """Listen on the running loop; without a port or a file there is no door, and no fault."""
        import asyncio
        import secrets

        self._secret = secrets.token_hex(_SECRET_BYTES)
        try:
            self._server = await asyncio.start_server(self._answer, _HOST, 0, limit=_LONGEST_LINE)
            port = self._server.sockets[0].getsockname()[1]
            await asyncio.to_thread(self._leave_word, port)
        except OSError:
            await self.close()

    async def close(self) -> None:
        """Take the file away and stop listening; may be called twice."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._path.unlink(missing_ok=True)

    def _leave_word(self, port: int) -> None:
        draft = self._path.with_name(f"{DOOR_FILE}.new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{port} {self._secret} {os.getpid()}\n")
        draft.replace(self._path)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        import asyncio

        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                wish = self._wish_in(await reader.readline())
                if wish is not None:
                    writer.write(_TAKEN)
                    await writer.drain()
        except (OSError, ValueError, TimeoutError):  # ValueError: a line longer than the limit
            return
        finally:
            writer.close()
        if wish is not None and not wish[1]:
            self._on_knock(wish[0])

    def _wish_in(self, line: bytes) -> tuple[str, bool] | None:
        """Return the link and whether it is a quiet knock, None for who may not come in."""
        import hmac
        import json

        try:
            said = json.loads(line)
        except ValueError:
            return None
        if not isinstance(said, dict) or not isinstance(said.get("link"), str):
            return None
        given = str(said.get("secret", ""))
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            return None
        return said["link"], bool(said.get("quietly"))


def _allow_to_front(pid: int) -> None:
    """Let the running Parley take the foreground, which Windows grants to who was just clicked."""
    import sys

    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.AllowSetForegroundWindow(pid)
