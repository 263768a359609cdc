"""Tests of the door by which a second start reaches the first. They never leave this computer."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest

from app.session.instance_door import DOOR_FILE, InstanceDoor, knock

LINK = "parley://conversation/talk-1"


async def _knock(folder: Path, link: str = "", *, quietly: bool = False) -> bool:
    return await asyncio.to_thread(lambda: knock(folder, link, quietly=quietly))


async def test_a_link_goes_through_the_door_as_it_came(tmp_path: Path) -> None:
    came: list[str] = []
    door = InstanceDoor(tmp_path, came.append)
    await door.open()
    try:
        assert await _knock(tmp_path, LINK)
        assert await _knock(tmp_path)
        assert await _knock(tmp_path, quietly=True)
        assert came == [LINK, ""]
        assert (tmp_path / DOOR_FILE).stat().st_mode & 0o077 == 0
    finally:
        await door.close()
        await door.close()
    assert not await _knock(tmp_path, LINK)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"not json\n",
        b"[]\n",
        b'{"secret": "wrong", "link": "parley://conversation/x"}\n',
        b'{"secret": 5, "link": ""}\n',
        b'{"link": ""}\n',
        b"x" * 10_000 + b"\n",
    ],
)
async def test_who_does_not_know_the_secret_is_not_let_in(tmp_path: Path, line: bytes) -> None:
    came: list[str] = []
    door = InstanceDoor(tmp_path, came.append)
    await door.open()
    port = int((tmp_path / DOOR_FILE).read_text("ascii").split()[0])

    def say() -> bytes:
        with socket.create_connection(("127.0.0.1", port), 5) as stranger:
            stranger.settimeout(5)
            try:
                stranger.sendall(line)
                stranger.shutdown(socket.SHUT_WR)
                return stranger.recv(100)
            except OSError:  # hung up while it still wrote
                return b""

    try:
        assert await asyncio.to_thread(say) == b""
        assert came == []
        assert await _knock(tmp_path, LINK)  # the door still works
    finally:
        await door.close()


@pytest.mark.parametrize("left", ["", "x", "70000 a 1", "-5 a 1", "a b c", "1 secret 1"])
async def test_a_word_left_by_a_dead_parley_leads_nowhere(tmp_path: Path, left: str) -> None:
    (tmp_path / DOOR_FILE).write_text(left, "ascii")
    assert not await _knock(tmp_path, LINK)


async def test_a_stranger_on_the_port_of_a_dead_parley_gets_nothing_taken(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(b"hello\n")
        writer.close()

    server = await asyncio.start_server(stranger, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (tmp_path / DOOR_FILE).write_text(f"{port} old 1", "ascii")
        assert not await _knock(tmp_path, LINK)
    assert json.loads(heard[0])["secret"] == "old"
