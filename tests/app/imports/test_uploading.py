"""An original file reaches the backend whole, whatever the line does, or the reason is told.

They never use a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.domain.errors import Offline, Refused
from app.imports import uploading
from app.imports.uploading import upload
from backend_client.errors import ProblemReply, Unreachable
from contract.problems import Problem, ProblemCode


@dataclass
class Holder:
    """Holds the bytes that came; each of `faults` is raised once, by the call it stands for.

    With `keeps_first` a piece arrives although its answer is lost.
    """

    content: bytearray = field(default_factory=bytearray)
    faults: list[Exception | None] = field(default_factory=list)
    keeps_first: bool = False
    asked: int = 0

    async def held(self) -> int:
        self.asked += 1
        return len(self.content)

    async def put(self, offset_bytes: int, piece: bytes) -> int:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and self.keeps_first:
            self.content += piece
        if fault is not None:
            raise fault
        if offset_bytes != len(self.content):
            raise _problem(ProblemCode.CONFLICT)
        self.content += piece
        return len(self.content)


def _problem(code: ProblemCode) -> ProblemReply:
    told = Problem(
        type="urn:x", title="No", status=409, code=code.value, detail="No", request_id=""
    )
    return ProblemReply(told, request_id="", retry_after_s=None)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "_FIRST_WAIT_S", 0.0)
    monkeypatch.setattr(uploading, "_LONGEST_WAIT_S", 0.0)
    monkeypatch.setattr(uploading, "PIECE_BYTES", 10)


def _run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work()

    asyncio.run(bounded())


def _file(folder: Path) -> Path:
    path = folder / "chat.zip"
    path.write_bytes(bytes(range(95)))
    return path


def test_a_file_arrives_in_pieces_and_tells_how_far_it_is(tmp_path: Path) -> None:
    path, holder, told = _file(tmp_path), Holder(), list[float]()
    _run(lambda: upload(path, 95, holder.held, holder.put, told.append))
    assert bytes(holder.content) == path.read_bytes()
    assert told[0] == 0.0 and told[-1] == 1.0 and told == sorted(told)


def test_an_upload_goes_on_where_it_ended(tmp_path: Path) -> None:
    path, holder, told = _file(tmp_path), Holder(bytearray(range(40))), list[float]()
    _run(lambda: upload(path, 95, holder.held, holder.put, told.append))
    assert bytes(holder.content) == path.read_bytes() and told[0] == pytest.approx(40 / 95)


def test_a_lost_answer_neither_doubles_nor_loses_a_piece(tmp_path: Path) -> None:
    path = _file(tmp_path)
    holder = Holder(faults=[Unreachable("cut"), None, Unreachable("cut")], keeps_first=True)
    _run(lambda: upload(path, 95, holder.held, holder.put, lambda _: None))
    assert bytes(holder.content) == path.read_bytes() and holder.asked == 3


def test_a_line_that_stays_away_is_told(tmp_path: Path) -> None:
    path = _file(tmp_path)
    holder = Holder(faults=[Unreachable("cut")] * 20)
    with pytest.raises(Offline):
        _run(lambda: upload(path, 95, holder.held, holder.put, lambda _: None))


def test_a_refusal_and_a_file_that_is_gone_end_it_at_once(tmp_path: Path) -> None:
    path = _file(tmp_path)
    holder = Holder(faults=[_problem(ProblemCode.BAD_REQUEST)])
    with pytest.raises(Refused):
        _run(lambda: upload(path, 95, holder.held, holder.put, lambda _: None))
    assert holder.content == b""
    path.write_bytes(b"short")
    with pytest.raises(Refused, match="shorter"):
        _run(lambda: upload(path, 95, holder.held, Holder().put, lambda _: None))
    path.unlink()
    with pytest.raises(Refused, match="can’t be read"):
        _run(lambda: upload(path, 95, holder.held, Holder().put, lambda _: None))
