"""Owns the door by which a second start of Parley reaches the one that runs.

It never lets anything in but a link or the wish to be shown, from whoever can read the data folder.

The running Parley listens on the loopback address and leaves port and secret in a file that its
user alone can read. Whoever answers there proves first that they know the secret: the file may be
of a Parley that died, its port somebody else's since. The link is handed on as it came: whoever
opens the door parses it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import socket

DOOR_FILE = "parley.running"
_HOST = "127.0.0.1"
_SECRET_BYTES = 32
_LONGEST_LINK = 250  # longer ones are none to whoever parses them, cut or not
_LONGEST_LINE = 4_096
_ANSWER_WITHIN_S = 3.0
_MOST_AT_ONCE = 8  # anyone on this computer may connect, whoever they are
_TAKEN = b"taken\n"


def knock(data_dir: Path, link: str = "", *, quietly: bool = False) -> bool:
    """Hand a link to the Parley that runs over this folder; return whether it took it.

    "" asks it to come to the front; `quietly` only asks whether it is there. One on another
    desktop of the same user takes nothing. Blocks for 3 s at most, and costs one look at the
    folder when nobody is there.
    """
    try:
        left = (data_dir / DOOR_FILE).read_text("ascii").split()
        port, secret, pid = int(left[0]), left[1], int(left[2])
        if left[3] != _desktop():  # nobody would see the window that comes to the front there
            return False
    except (OSError, ValueError, IndexError):
        return False
    import secrets
    import socket
    import time

    challenge = secrets.token_hex(_SECRET_BYTES)
    try:
        with socket.create_connection((_HOST, port), _ANSWER_WITHIN_S) as connection:
            until_s = time.monotonic() + _ANSWER_WITHIN_S
            connection.sendall(f"{challenge}\n".encode())
            if not _is_same(_line_of(connection, until_s), _proof(secret, challenge)):
                return False
            _allow_to_front(pid)
            connection.sendall(_wish_line(secret, link, quietly=quietly))
            return _line_of(connection, until_s) == _TAKEN
    except (OSError, OverflowError):
        return False


def _line_of(connection: socket.socket, until_s: float) -> bytes:
    """Return a line as far as it has come; raises OSError, however slowly it trickles in."""
    import time

    line = b""
    while not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
        connection.settimeout(max(0.001, until_s - time.monotonic()))
        piece = connection.recv(_LONGEST_LINE)
        if not piece or time.monotonic() > until_s:
            raise ConnectionError("no whole line came")
        line += piece
    return line


class InstanceDoor:
    """Listens while the window lives; `on_knock` gets the link as it came, "" without one."""

    def __init__(self, data_dir: Path, on_knock: Callable[[str], None]) -> None:
        self._path = data_dir / DOOR_FILE
        self._on_knock = on_knock
        self._server: asyncio.Server | None = None
        self._secret = ""
        self._answering = 0

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
            file.write(f"{port} {self._secret} {os.getpid()} {_desktop()}\n")
        draft.replace(self._path)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answering += 1
        try:
            wish = await self._wish_of(reader, writer) if self._answering <= _MOST_AT_ONCE else None
        finally:
            self._answering -= 1
            writer.close()
        if wish is not None and not wish[1]:
            self._on_knock(wish[0])

    async def _wish_of(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, bool] | None:
        """Return the link and whether it is a quiet knock, None for who may not come in."""
        import asyncio

        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                challenge = (await reader.readline()).decode("ascii").rstrip("\n")
                writer.write(_proof(self._secret, challenge))
                wish = self._wish_in(await reader.readline())
                if wish is not None:
                    writer.write(_TAKEN)
                    await writer.drain()
                return wish
        except (OSError, ValueError, TimeoutError):  # ValueError: a line too long, or not ASCII
            return None

    def _wish_in(self, line: bytes) -> tuple[str, bool] | None:
        import json

        given, _, wish = line.partition(b" ")
        if not _is_same(given, self._secret.encode()):
            return None
        said = json.loads(wish)
        if not isinstance(said, dict) or not isinstance(said.get("link"), str):
            return None
        return said["link"], bool(said.get("quietly"))


def _wish_line(secret: str, link: str, *, quietly: bool) -> bytes:
    import json

    wish = json.dumps({"link": link[:_LONGEST_LINK], "quietly": quietly})
    return f"{secret} {wish}\n".encode()


def _proof(secret: str, challenge: str) -> bytes:
    """Return the line that only who knows the secret can say to a challenge."""
    import hashlib
    import hmac

    told = hmac.new(secret.encode(), f"door {challenge}".encode(), hashlib.sha256)
    return f"{told.hexdigest()}\n".encode()


def _is_same(given: bytes, wanted: bytes) -> bool:
    import hmac

    return hmac.compare_digest(given, wanted)


def _desktop() -> str:
    """Return a word for the desktop this process shows its windows on: one user may have several.

    Windows numbers its sessions; elsewhere the display's name tells them apart.
    """
    import hashlib
    import sys

    if sys.platform == "win32":
        import ctypes

        number = ctypes.c_ulong()
        ctypes.windll.kernel32.ProcessIdToSessionId(os.getpid(), ctypes.byref(number))
        return str(number.value)
    shown = f"{os.environ.get('WAYLAND_DISPLAY', '')} {os.environ.get('DISPLAY', '')}"
    return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()[:16]


def _allow_to_front(pid: int) -> None:
    """Let the running Parley take the foreground, which Windows grants to who was just clicked."""
    import sys

    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.AllowSetForegroundWindow(pid)
