"""Shows that a file is inspected before it is uploaded, and that hints have what was found.

It uses the real store and process; no file of this computer.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest

import app.inspection
from app.inspection import FileInspections
from app.store.store import Store
from contract.ids import AttachmentId
from contract.inspection.facts import policy_attachment
from contract.inspection.inspect import inspect_file
from contract.policy.model import Inspection
from contract.wire import Attachment, CreateAttachment
from tests.app.outbox.conftest import Sending
from tests.app.small_backend import SmallBackend
from tests.contract.inspection import samples

Outbox = AbstractAsyncContextManager[Sending]


@pytest.fixture
def offer(tmp_path: Path) -> Path:
    """Write a document."""
    path = tmp_path / "offer.docx"
    path.write_bytes(samples.docx("Offer for Hana"))
    return path


def _announced(content: bytes, name: str = "offer.docx") -> CreateAttachment:
    return CreateAttachment(name=name, media_type="", size_bytes=len(content), sha256=str(content))


async def test_hints_have_what_was_found_also_after_a_restart(
    world: SmallBackend, synced: Store, sending: Outbox, offer: Path
) -> None:
    async with sending as outbox:
        attachment = await outbox.messaging.upload(offer)
    content = offer.read_bytes()
    there = inspect_file("offer.docx", content, declared_type=attachment.media_type)
    wanted = policy_attachment(there, attachment.sha256, len(content))
    files = FileInspections(synced)
    assert files.facts(attachment).reason == "not_inspected"
    await files.recall([attachment.attachment_id])
    assert files.facts(attachment) == wanted
    assert wanted.text == "Offer for Hana" and attachment.scan == "clean"


async def test_a_file_is_inspected_before_a_byte_leaves(
    world: SmallBackend, sending: Outbox, offer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    inspect = FileInspections.inspect

    async def noted(*given: object) -> object:
        asked.append(len(world.files))
        return await inspect(*given)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(FileInspections, "inspect", noted)
    async with sending as outbox:
        await outbox.messaging.upload(offer)
    assert asked == [0] and len(world.files) == 1


async def test_a_file_known_from_elsewhere_is_fetched_to_be_inspected(
    world: SmallBackend, synced: Store, sending: Outbox, offer: Path
) -> None:
    async with sending as outbox:
        attachment = await outbox.messaging.upload(offer)
        unknown = msgspec.structs.replace(attachment, name="other.docx")
        ((name, _),) = world.files.items()
        world.files["second"] = world.files[name]
        again = msgspec.structs.replace(unknown, attachment_id=AttachmentId("second"))
        await synced.drafts.remember_attachment(again)
        await outbox.files.inspect_again(again)
        found = await synced.drafts.inspections([again.attachment_id])
    assert found[again.attachment_id].text == "Offer for Hana"


async def test_a_file_that_can_not_be_fetched_stays_not_evaluated(
    synced: Store, sending: Outbox
) -> None:
    gone = Attachment(
        attachment_id=AttachmentId("gone"), name="a.pdf", media_type="", size_bytes=1, sha256=""
    )
    async with sending as outbox:
        await outbox.files.inspect_again(gone)
    facts = FileInspections(synced).facts(gone)
    assert (facts.inspection, facts.reason) == (Inspection.NOT_EVALUATED, "not_inspected")


async def test_equal_content_is_inspected_once(synced: Store) -> None:
    files, content = FileInspections(synced), samples.docx("x")
    read: list[int] = []

    def pieces() -> Iterator[bytes]:
        read.append(1)
        return iter((content,))

    first = await files.inspect(_announced(content), pieces)
    assert await files.inspect(_announced(content), pieces) == first
    assert len(read) == 1
    await files.inspect(_announced(content, "offer.pdf"), pieces)
    assert len(read) == 2


async def test_an_inspection_ends_with_its_caller(
    synced: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    waits = f"import pathlib, sys; pathlib.Path({str(begun)!r}).touch(); sys.stdin.buffer.read();"
    waits += "import time; time.sleep(600)"
    monkeypatch.setattr(
        app.inspection, "backend_command", lambda: [sys.executable, "-c", waits, "inspect"]
    )
    content = samples.docx("x")
    work = FileInspections(synced).inspect(_announced(content), lambda: iter((content,)))
    task = asyncio.create_task(work)
    while not begun.exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(60):
        await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_hanging_inspection_leaves_the_file_not_evaluated(
    synced: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.inspection, "LONGEST_S", 0.01)
    content = samples.docx("x")
    found = await FileInspections(synced).inspect(_announced(content), lambda: iter((content,)))
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, "too_slow")


async def test_a_missing_program_leaves_the_file_not_evaluated(
    synced: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.inspection, "backend_command", lambda: ["no-such-program-here"])
    content = samples.docx("x")
    found = await FileInspections(synced).inspect(_announced(content), lambda: iter((content,)))
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, "not_inspected")
