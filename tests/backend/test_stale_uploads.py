"""Uploads that never went with a message go after a month; all others stay.

It never waits a month: the clock is moved.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from backend.inbox.stale_uploads import KEPT_DAYS, drop_stale_uploads
from tests.backend.archive.test_erasure import upload
from tests.backend.workspace import Workspace, client_of, draft, submit

MONTH_MS = KEPT_DAYS * 86_400_000


async def dropped(workspace: Workspace) -> int:
    """Look for stale uploads now; return how many went."""
    services = workspace.services
    return await asyncio.to_thread(
        drop_stale_uploads, services.database, services.blobs, workspace.clock()
    )


def kept_files(folder: Path) -> int:
    """Return how many parts lie in the blob store."""
    return sum(path.is_file() for path in (folder / "blobs").rglob("*"))


async def test_stale_upload_goes_and_attached_or_young_ones_stay(
    workspace: Workspace, tmp_path: Path
) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Hello"))
    async with client_of(workspace) as client:
        stale, attached = await upload(client, b"stale"), await upload(client, b"attached")
        command = draft("With a file", clock=workspace.clock, attachment_ids=(attached,))
        assert (await submit(client, home, command)).status_code == 201
        assert await dropped(workspace) == 0
        workspace.clock.at_utc_ms += MONTH_MS + 60_000
        young = await upload(client, b"young")
        assert kept_files(tmp_path) == 3
        assert await dropped(workspace) == 1
        assert kept_files(tmp_path) == 2
        assert await dropped(workspace) == 0
        for attachment_id, status in ((stale, 404), (attached, 200), (young, 200)):
            answer = await client.get(f"/v1/attachments/{attachment_id}")
            assert answer.status_code == status
        late = draft("Too late", clock=workspace.clock, attachment_ids=(stale,))
        assert (await submit(client, home, late)).status_code == 404


async def test_upload_that_was_never_finished_goes_too(workspace: Workspace) -> None:
    async with client_of(workspace) as client:
        told = {"name": "a.txt", "media_type": "text/plain", "size_bytes": 9, "sha256": "ab" * 32}
        key = {"Idempotency-Key": os.urandom(8).hex()}
        created = await client.post("/v1/attachments", json=told, headers=key)
        assert created.status_code < 300
    workspace.clock.at_utc_ms += MONTH_MS + 60_000
    assert await dropped(workspace) == 1
    assert await workspace.scalar("SELECT count(*) FROM attachments") == 0


async def test_run_cut_short_is_finished_by_the_next(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Hello"))
    async with client_of(workspace) as client:
        stale = await upload(client, b"stale")
        workspace.clock.at_utc_ms += MONTH_MS + 60_000

        def fail(attachment_id: str, start_byte: int) -> None:
            raise OSError(5, "cut short")

        with monkeypatch.context() as broken:
            broken.setattr(workspace.services.blobs, "remove", fail)
            with pytest.raises(OSError, match="cut short"):
                await dropped(workspace)
        late = draft("Too late", clock=workspace.clock, attachment_ids=(stale,))
        refused = await submit(client, home, late)
        assert refused.status_code in (404, 409), "a file about to go can't be sent"
        assert await dropped(workspace) == 1
        assert kept_files(tmp_path) == 0
