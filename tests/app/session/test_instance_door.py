"""Tests of the door by which a second start reaches the first. They never leave this computer."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from app.session import instance_door
from app.session.instance_door import DOOR_FILE, InstanceDoor, knock

LINK = "parley://conversation/talk-1"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody's time run out, however busy the machine is."""
    monkeypatch.setattr(instance_door, "_ANSWER_WITHIN_S", 60.0)


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows numbers its sessions itself")
async def test_a_parley_on_another_desktop_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[str] = []
    door = InstanceDoor(tmp_path, came.append)
    await door.open()
    try:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("DISPLAY", ":77")
            assert not await _knock(tmp_path, LINK)
        assert await _knock(tmp_path, LINK)
    finally:
        await door.close()
    assert came == [LINK]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"challenge\n\n",
        b'challenge\nwrong {"link": "parley://conversation/x"}\n',
        b'challenge\n {"link": ""}\n',
        b"challenge\n" + b"[" * 2_000 + b"\n",
        "challenge \u00fc\n".encode(),
        b"x" * 10_000 + b"\n",
    ],
)
async def test_who_does_not_know_the_secret_is_not_let_in(tmp_path: Path, line: bytes) -> None:
    came: list[str] = []
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    door = InstanceDoor(tmp_path, came.append)
    await door.open()
    word = (tmp_path / DOOR_FILE).read_text("ascii").split()
    port, secret = int(word[0]), word[1].encode()

    def say() -> bytes:
        """Return the last line that came back: what was taken, or the proof at most."""
        with socket.create_connection(("127.0.0.1", port), 60) as stranger:
            stranger.settimeout(60)
            try:
                stranger.sendall(line)
                stranger.shutdown(socket.SHUT_WR)
                with stranger.makefile("rb") as answers:
                    return answers.read(200)
            except OSError:  # hung up while it still wrote
                return b""

    try:
        answer = await asyncio.to_thread(say)
        assert b"taken" not in answer and secret not in answer
        assert came == [] and faults == []
        assert await _knock(tmp_path, LINK)  # the door still works
    finally:
        await door.close()


@pytest.mark.parametrize("left", ["", "x", "70000 a 1 d", "-5 a 1 d", "a b c", "1 secret 1"])
async def test_a_word_left_by_a_dead_parley_leads_nowhere(tmp_path: Path, left: str) -> None:
    (tmp_path / DOOR_FILE).write_text(left, "ascii")
    assert not await _knock(tmp_path, LINK)


@pytest.mark.parametrize("answer", [b"hello\n", b"taken\n", b"0" * 64 + b"\ntaken\n", b""])
async def test_a_stranger_on_the_port_of_a_dead_parley_hears_no_link_and_is_not_believed(
    tmp_path: Path, answer: bytes
) -> None:
    heard: list[bytes] = []

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(answer)
        writer.write_eof()
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(stranger, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        word = f"{port} old 1 {instance_door._desktop()}"
        (tmp_path / DOOR_FILE).write_text(word, "ascii")
        assert not await _knock(tmp_path, LINK)
        async with asyncio.timeout(60):
            while len(heard) < 2:
                await asyncio.sleep(0)
    assert LINK.encode() not in b"".join(heard)
    assert b"old" not in b"".join(heard)


async def test_many_strangers_are_sent_away_at_once(tmp_path: Path) -> None:
    door = InstanceDoor(tmp_path, lambda _: None)
    await door.open()
    port = int((tmp_path / DOOR_FILE).read_text("ascii").split()[0])
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
    try:
        async with asyncio.timeout(60):
            ended = [asyncio.ensure_future(reader.read()) for reader, _ in lines]
            while sum(one.done() for one in ended) < 52:
                await asyncio.sleep(0.01)
        assert sum(one.done() for one in ended) < 60  # as long as those before may take
    finally:
        for _, writer in lines:
            writer.close()
        await asyncio.gather(*ended, return_exceptions=True)
        assert await _knock(tmp_path, LINK)
        await door.close()


@pytest.mark.parametrize(
    "link", ["parley:" + "\u6f22" * 400, "parley:" + "\U0001f40b" * 400, "\udc80"]
)
async def test_the_longest_and_oddest_link_still_reaches_the_running_parley(
    tmp_path: Path, link: str
) -> None:
    came: list[str] = []
    door = InstanceDoor(tmp_path, came.append)
    await door.open()
    try:
        assert await _knock(tmp_path, link)
        assert came == [link[:250]]
    finally:
        await door.close()
