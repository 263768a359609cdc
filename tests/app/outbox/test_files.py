"""Shows that files arrive whole or not at all, in both directions.

It does not look into files.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.domain.errors import EnvironmentFault, MalformedReply, Refused, TooLarge
from app.store.store import Store
from contract.ids import AttachmentId
from contract.problems import ProblemCode
from contract.wire import Attachment
from tests.app.outbox.conftest import Sending
from tests.app.small_backend import SmallBackend, problem
from tests.support.log_guard import LogGuard
from tests.support.tcp_proxy import TcpProxy

Outbox = AbstractAsyncContextManager[Sending]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Write a file of three pieces."""
    path = tmp_path / "report.pdf"
    path.write_bytes(bytes(range(256)) * 2600)
    return path


async def test_upload_arrives_whole_and_is_remembered(
    world: SmallBackend, synced: Store, sending: Outbox, report: Path
) -> None:
    """Name, type, size and hash travel with it."""
    async with sending as outbox:
        attachment = await outbox.messaging.upload(report)
    ((_, data),) = world.files.values()
    assert bytes(data) == report.read_bytes()
    assert attachment.media_type == "application/pdf"
    assert attachment.sha256 == hashlib.sha256(report.read_bytes()).hexdigest()
    assert await synced.drafts.attachments([attachment.attachment_id]) == (attachment,)


async def test_upload_tells_how_far_it_came(sending: Outbox, report: Path) -> None:
    """Bytes the backend holds, never more than the whole, never fewer than before."""
    told: list[tuple[int, int]] = []
    async with sending as outbox:
        await outbox.messaging.upload(report, lambda done, whole: told.append((done, whole)))
    size_bytes = report.stat().st_size
    assert told == [(0, size_bytes), (262_144, size_bytes), (524_288, size_bytes)]


async def test_cut_upload_goes_on_where_the_backend_stands(
    world: SmallBackend, sending: Outbox, report: Path, line: TcpProxy
) -> None:
    """Pieces that arrived are not sent again, whether or not their answer did."""
    line.cut_after(up_bytes=300_000)
    async with sending as outbox:
        await outbox.messaging.upload(report)
    ((_, data),) = world.files.values()
    assert bytes(data) == report.read_bytes()


async def test_lost_answer_to_a_piece_does_not_send_it_twice(
    world: SmallBackend, sending: Outbox, report: Path
) -> None:
    """The bytes were taken, the answer was a fault: the backend is asked where it stands."""
    faults = [problem(ProblemCode.UNAVAILABLE)]

    def once(request: Request) -> Response | None:
        return faults.pop() if request.method == "PUT" and faults else None

    world.fault = once
    async with sending as outbox:
        await outbox.messaging.upload(report)
    ((_, data),) = world.files.values()
    assert bytes(data) == report.read_bytes()


async def test_files_that_can_not_go_are_refused_before_any_byte(
    world: SmallBackend, sending: Outbox, tmp_path: Path
) -> None:
    """Too large, empty, missing."""
    large, empty = tmp_path / "large", tmp_path / "empty"
    large.write_bytes(b"x" * 1_000_001)
    empty.touch()
    async with sending as outbox:
        with pytest.raises(TooLarge):
            await outbox.messaging.upload(large)
        with pytest.raises(Refused):
            await outbox.messaging.upload(empty)
        with pytest.raises(Refused):
            await outbox.messaging.upload(tmp_path / "missing")
    assert world.files == {}


async def test_download_is_checked_and_put_where_the_person_chose(
    sending: Outbox, report: Path, tmp_path: Path
) -> None:
    """No readable copy stays anywhere else."""
    chosen = tmp_path / "chosen" / "copy.pdf"
    chosen.parent.mkdir()
    async with sending as outbox:
        attachment = await outbox.messaging.upload(report)
        assert await outbox.messaging.download(attachment, chosen) == chosen
    assert chosen.read_bytes() == report.read_bytes()
    assert [path.name for path in chosen.parent.iterdir()] == ["copy.pdf"]


async def test_other_bytes_than_announced_are_never_saved(
    world: SmallBackend, sending: Outbox, report: Path, tmp_path: Path
) -> None:
    """A file that was there stays as it was."""
    chosen = tmp_path / "chosen.pdf"
    chosen.write_bytes(b"before")
    async with sending as outbox:
        attachment = await outbox.messaging.upload(report)
        for _, data in world.files.values():
            data[0] ^= 1
        with pytest.raises(MalformedReply):
            await outbox.messaging.download(attachment, chosen)
    assert chosen.read_bytes() == b"before"
    assert not list(tmp_path.glob("*.part"))


async def test_folder_that_can_not_be_written_is_told(
    sending: Outbox, report: Path, tmp_path: Path
) -> None:
    """The error is of this computer, not of the line."""
    async with sending as outbox:
        attachment = await outbox.messaging.upload(report)
        with pytest.raises(EnvironmentFault):
            await outbox.messaging.download(attachment, tmp_path / "no" / "such" / "folder")


async def test_cut_download_leaves_nothing_behind(
    sending: Outbox, report: Path, tmp_path: Path, line: TcpProxy
) -> None:
    """Half a file is no file."""
    chosen = tmp_path / "half.pdf"
    async with sending as outbox:
        attachment = await outbox.messaging.upload(report)
        line.cut_after(down_bytes=100_000)
        with pytest.raises(EnvironmentFault):
            await outbox.messaging.download(attachment, chosen)
        gone = Attachment(
            attachment_id=AttachmentId("x"), name="x", media_type="x/x", size_bytes=1, sha256=""
        )
        line.refuse()
        with pytest.raises(EnvironmentFault):
            await outbox.messaging.download(gone, chosen)
    await asyncio.sleep(0)
    assert not chosen.exists()
    assert not list(tmp_path.glob(".half*"))


async def test_a_second_opening_costs_no_download(
    synced: Store, sending: Outbox, report: Path, tmp_path: Path, line: TcpProxy
) -> None:
    """What was fetched once is there without a line, whole and nowhere readable."""
    async with sending as outbox:
        attachment = await outbox.messaging.upload(report)
        await outbox.messaging.download(attachment, tmp_path / "first.pdf")
        line.refuse()
        await outbox.messaging.download(attachment, tmp_path / "second.pdf")
    assert (tmp_path / "second.pdf").read_bytes() == report.read_bytes()
    assert await synced.files.held_bytes() > report.stat().st_size


async def test_a_damaged_kept_file_is_fetched_again(
    sending: Outbox, report: Path, tmp_path: Path, expect_log: LogGuard
) -> None:
    """Damage on this computer costs a download, never a wrong byte."""
    expect_log("fetched again", logger="app.store.attachment_cache")
    async with sending as outbox:
        attachment = await outbox.messaging.upload(report)
        await outbox.messaging.download(attachment, tmp_path / "first.pdf")
        (kept,) = (tmp_path / "data" / "attachments").iterdir()
        whole = bytearray(kept.read_bytes())
        whole[70_000] ^= 1
        kept.write_bytes(whole)
        await outbox.messaging.download(attachment, tmp_path / "second.pdf")
        assert kept.read_bytes() != whole
    assert (tmp_path / "second.pdf").read_bytes() == report.read_bytes()
