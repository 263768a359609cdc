"""Files come in piece by piece, resume where they were cut, and lie encrypted on the disk.

It never fakes a part: it drives the real application; the bytes go through the real blob store.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import pytest

from contract.wire import Submitted, UploadState
from tests.backend.workspace import (
    ELENA,
    KENTA,
    TOKENS,
    Workspace,
    client_of,
    draft,
    served,
    submit,
)
from tests.support.log_guard import LogGuard

CONTENT = os.urandom(150_000) + b"canary in clear" + os.urandom(1_200_000)


async def announce(
    client: httpx.AsyncClient,
    content: bytes = CONTENT,
    change: dict[str, object] | None = None,
) -> httpx.Response:
    """Announce an upload."""
    body = {
        "name": "term sheet.pdf",
        "media_type": "application/pdf",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return await client.post(
        "/v1/attachments", json=body | (change or {}), headers={"Idempotency-Key": "up-1"}
    )


async def send(
    client: httpx.AsyncClient, attachment_id: str, offset: int, data: bytes
) -> httpx.Response:
    """Send bytes from an offset on."""
    return await client.patch(
        f"/v1/attachments/{attachment_id}/upload",
        content=data,
        headers={"Upload-Offset": str(offset)},
    )


def state_of(answer: httpx.Response) -> UploadState:
    """Read an upload's state."""
    assert answer.status_code in (200, 201), answer.text
    return msgspec.json.decode(answer.content, type=UploadState)


async def uploaded(client: httpx.AsyncClient, content: bytes = CONTENT) -> str:
    """Upload a file whole and return its id."""
    created = state_of(await announce(client, content))
    assert state_of(await send(client, created.attachment_id, 0, content)).complete
    return created.attachment_id


async def test_cut_upload_resumes_where_it_was(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    created = state_of(await announce(client))
    first = state_of(await send(client, created.attachment_id, 0, CONTENT[:100_001]))
    assert (first.offset_bytes, first.complete) == (100_001, False)
    wrong = await send(client, created.attachment_id, 0, b"again")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "conflict")
    again = state_of(await announce(client))
    assert (again.attachment_id, again.offset_bytes) == (created.attachment_id, 100_001)
    whole = state_of(await send(client, created.attachment_id, 100_001, CONTENT[100_001:]))
    assert whole.complete
    answer = await client.get(f"/v1/attachments/{created.attachment_id}")
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "application/pdf"


async def test_other_bytes_than_announced_begin_anew(client: httpx.AsyncClient) -> None:
    created = state_of(await announce(client))
    answer = await send(client, created.attachment_id, 0, CONTENT[::-1])
    assert (answer.status_code, answer.json()["code"]) == (422, "attachment_mismatch")
    state = state_of(await client.get(f"/v1/attachments/{created.attachment_id}/upload"))
    assert (state.offset_bytes, state.complete) == (0, False)
    assert state_of(await send(client, created.attachment_id, 0, CONTENT)).complete


async def test_overtaken_request_changes_nothing_of_a_complete_file(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    created = state_of(await announce(client, b"honest"))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow_bytes() -> AsyncIterator[bytes]:
        yield b"for"
        begun.set()
        await go_on.wait()
        yield b"ged"

    path = f"/v1/attachments/{created.attachment_id}"
    async with served(workspace) as url, httpx.AsyncClient(base_url=url, timeout=60) as other:
        other.headers["Authorization"] = f"Bearer {TOKENS[ELENA]}"
        late = asyncio.create_task(
            other.patch(f"{path}/upload", content=slow_bytes(), headers={"Upload-Offset": "0"})
        )
        async with asyncio.timeout(60):
            await begun.wait()
        assert state_of(await send(client, created.attachment_id, 0, b"honest")).complete
        go_on.set()
        assert (await late).json()["code"] == "conflict"
    assert (await client.get(path)).content == b"honest"


async def test_more_bytes_than_announced_are_refused(client: httpx.AsyncClient) -> None:
    created = state_of(await announce(client, b"abc"))
    answer = await send(client, created.attachment_id, 0, b"abcd")
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=65530-65545", 65_530, 65_546),
        ("bytes=149999-", 149_999, len(CONTENT)),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT)),
        (f"bytes=1048000-{10**17}", 1_048_000, len(CONTENT)),
    ],
)
async def test_ranges(client: httpx.AsyncClient, asked: str, first: int, last: int) -> None:
    attachment_id = await uploaded(client)
    answer = await client.get(f"/v1/attachments/{attachment_id}", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == CONTENT[first:last]
    assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/{len(CONTENT)}"


async def test_range_beyond_the_end_is_refused(client: httpx.AsyncClient) -> None:
    attachment_id = await uploaded(client, b"abc")
    asked = {"Range": "bytes=3-"}
    answer = await client.get(f"/v1/attachments/{attachment_id}", headers=asked)
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */3")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size_bytes": 0}, "bad_request"),
        ({"size_bytes": 10**12}, "too_large"),
        ({"sha256": "F" * 64}, "bad_request"),
        ({"name": "../etc/passwd"}, "bad_request"),
        ({"name": " "}, "bad_request"),
        ({"media_type": "text/html\r\nX: y"}, "bad_request"),
        ({"unheard": 1}, "bad_request"),
    ],
)
async def test_faulty_announcements(
    client: httpx.AsyncClient, fields: dict[str, object], code: str
) -> None:
    assert (await announce(client, change=fields)).json()["code"] == code


async def test_bytes_lie_encrypted_and_tampering_is_seen(
    client: httpx.AsyncClient, tmp_path: Path, expect_log: LogGuard
) -> None:
    attachment_id = await uploaded(client)
    files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert files
    for path in files:
        stored = bytearray(path.read_bytes())
        assert b"canary in clear" not in stored
        stored[100] ^= 1
        path.write_bytes(stored)
    expect_log("BlobDamaged", logger="parley.backend.api")
    answer = await client.get(f"/v1/attachments/{attachment_id}")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


async def test_what_was_announced_for_an_import_is_no_way_round_the_size_of_a_messages_file(
    workspace: Workspace,
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Hi"))
    small = replace(workspace.services.settings, attachment_max_bytes=10)
    workspace.services = replace(workspace.services, settings=small)
    content = b"eleven byte"
    told = {"name": "chat.txt", "media_type": "text/plain", "size_bytes": len(content)}
    async with client_of(workspace) as client:
        assert (await announce(client, content)).json()["code"] == "too_large"
        announced = await client.post(
            "/v1/imports/files",
            json=told | {"sha256": hashlib.sha256(content).hexdigest()},
            headers={"Idempotency-Key": "import-1"},
        )
        original = state_of(announced).attachment_id
        assert state_of(await send(client, original, 0, content)).complete
        refused = await submit(client, chat, draft("See file", attachment_ids=[original]))
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert "at most 10 bytes" in refused.json()["detail"]
        named: dict[str, object] = {"name": "chat.txt", "media_type": "text/plain"}
        allowed = state_of(await announce(client, b"ten bytes!", named)).attachment_id
        await send(client, allowed, 0, b"ten bytes!")
        sent = await submit(client, chat, draft("See file", attachment_ids=[allowed]))
        assert sent.status_code == 201, sent.text


async def test_file_goes_with_a_message_once_and_members_may_read_it(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Hi"))
    change: dict[str, object] = {"name": "term sheet.txt", "media_type": "text/plain"}
    created = state_of(await announce(client, b"abc", change))
    early = await submit(client, chat, draft("See file", attachment_ids=[created.attachment_id]))
    assert early.json()["code"] == "attachment_incomplete"
    await send(client, created.attachment_id, 0, b"abc")
    blocked = await submit(
        client,
        chat,
        draft("My card 4111 1111 1111 1111", attachment_ids=[created.attachment_id]),
    )
    assert blocked.json()["code"] == "policy_denied"
    sent = await submit(client, chat, draft("", attachment_ids=[created.attachment_id]))
    message = msgspec.json.decode(sent.content, type=Submitted).message
    assert [file.name for file in message.attachments] == ["term sheet.txt"]
    twice = await submit(client, chat, draft("Again", attachment_ids=[created.attachment_id]))
    assert twice.json()["code"] == "conflict"
    async with client_of(workspace, KENTA) as stranger:
        path = f"/v1/attachments/{created.attachment_id}"
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.get(f"{path}/upload")).status_code == 404


async def test_bytes_before_a_cut_line_are_kept(workspace: Workspace) -> None:
    async with served(workspace) as url:
        headers = {"Authorization": f"Bearer {TOKENS[ELENA]}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            created = state_of(await announce(client))
            path = f"/v1/attachments/{created.attachment_id}/upload"
            address = httpx.URL(url)
            _, writer = await asyncio.open_connection(address.host, address.port)
            head = f"PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CONTENT)}\r\n"
            writer.write(f"{head}{_lines(headers)}Upload-Offset: 0\r\n\r\n".encode())
            writer.write(CONTENT[:70_000])
            await writer.drain()
            writer.close()
            async with asyncio.timeout(60):
                while state_of(await client.get(path)).offset_bytes != 70_000:
                    await asyncio.sleep(0.01)
            whole = state_of(await send(client, created.attachment_id, 70_000, CONTENT[70_000:]))
    assert whole.complete


def _lines(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
