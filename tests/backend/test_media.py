"""Files of sent messages by signed link: exact bytes to whoever has one, nothing to anybody else.

It never opens a port: the application is called in this process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from backend.api.media import Media, MediaDesk
from backend.archive.erasure import ErasureOrder, erase
from backend.channels.contract import Attempt, OutboundFile, SendResult
from backend.channels.file_links import LIFE_MS, SignedFileLinks
from backend.delivery.claims import Claim, claim_heads
from backend.delivery.linked_files import link_key
from backend.delivery.outcomes import record_sent
from backend.inbox.erasing import sweep_files
from contract.states import DeliveryState
from tests.backend.channels.making import outbound_file
from tests.backend.workspace import FIRM, Workspace, client_of, draft, submit
from tests.support.log_guard import LogGuard

PUBLIC = "https://bank.test"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
LOGGER = "backend.api.media"
REFUSED = "a call for a file was refused"


@dataclass
class Served:
    """The served links of a workspace, with a message that is on its way."""

    workspace: Workspace
    desk: MediaDesk
    links: SignedFileLinks
    client: httpx.AsyncClient
    file: OutboundFile
    claim: Claim

    @property
    def path(self) -> str:
        """Return the path of the file's link for the message's attempt."""
        return urlsplit(self.links.link(self.file, self.claim.attempt)).path

    async def refused(self, path: str, reason: str) -> None:
        """Assert that a path leads nowhere, and that only the reason is kept."""
        before = self.desk.refused[reason]
        answer = await self.client.get(path)
        assert (answer.status_code, answer.content) == (404, b"")
        assert self.desk.refused[reason] == before + 1


async def uploaded(client: httpx.AsyncClient, data: bytes) -> str:
    """Upload a picture as the signed-in employee and return its id."""
    told = {"name": "private name.png", "media_type": "image/png", "size_bytes": len(data)}
    created = await client.post(
        "/v1/attachments",
        json=told | {"sha256": hashlib.sha256(data).hexdigest()},
        headers={"Idempotency-Key": os.urandom(8).hex()},
    )
    attachment_id = str(created.json()["attachment_id"])
    done = await client.patch(
        f"/v1/attachments/{attachment_id}/upload", content=data, headers={"Upload-Offset": "0"}
    )
    assert done.status_code < 300, done.text
    return attachment_id


def linkable(attachment_id: str) -> OutboundFile:
    """Return a file as a connector gets it."""
    file = outbound_file("private name.png", "image/png", PICTURE)
    return msgspec.structs.replace(file, attachment_id=attachment_id)


@pytest.fixture
async def served(workspace: Workspace) -> AsyncIterator[Served]:
    """Serve the links of a workspace, one message of which was claimed for delivery."""
    services = workspace.services
    chat = await workspace.conversation_of(await workspace.inbound("Hello"))
    async with client_of(workspace) as elena:
        file = linkable(await uploaded(elena, PICTURE))
        command = draft("Here it is", clock=workspace.clock, attachment_ids=[file.attachment_id])
        assert (await submit(elena, chat, command)).status_code == 201
    await workspace.sealing.sealed()
    now = workspace.clock()
    (claim,) = await services.database.write(lambda c: claim_heads(c, "worker", (), 8, now))
    links = SignedFileLinks(PUBLIC, await services.database.write(link_key))
    desk = MediaDesk(Media(services.database, services.blobs, links, workspace.clock))
    transport = httpx.ASGITransport(Starlette(routes=desk.routes()))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
        yield Served(workspace, desk, links, client, file, claim)


async def test_vendor_gets_exactly_the_archived_bytes(served: Served) -> None:
    whole = await served.client.get(served.path)
    assert (whole.status_code, whole.content) == (200, PICTURE)
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["cache-control"] == "no-store"
    assert "private" not in str(whole.headers)


async def test_head_and_ranges_are_answered(served: Served) -> None:
    head = await served.client.head(served.path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(PICTURE))
    part = await served.client.get(served.path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, PICTURE[10:20])
    tail = await served.client.get(served.path, headers={"Range": "bytes=-5"})
    assert tail.content == PICTURE[-5:]
    beyond = await served.client.get(served.path, headers={"Range": "bytes=9999999-"})
    assert beyond.status_code == 416
    other = {"Range": "bytes=10-19", "If-Range": '"of another file"'}
    assert (await served.client.get(served.path, headers=other)).status_code == 200


async def test_link_that_was_changed_or_made_elsewhere_leads_nowhere(served: Served) -> None:
    token = served.path.rpartition("/")[2]
    swapped = ("B" if token[0] == "A" else "A") + token[1:]
    elsewhere = SignedFileLinks(PUBLIC, b"k" * 32).link(served.file, served.claim.attempt)
    for guess in (swapped, token[:-1], token + "AA", "x", "%C3%A9", elsewhere.rpartition("/")[2]):
        await served.refused(f"/media/{guess}", "not genuine")
    assert served.desk.problems == (), "strangers' guesses are no trouble of the firm's"


async def test_link_ends_after_a_day_and_health_tells_of_late_calls(
    served: Served, expect_log: LogGuard
) -> None:
    expect_log(REFUSED, logger=LOGGER)
    path = served.path
    served.workspace.clock.at_utc_ms = served.claim.attempt.started_at_utc_ms + LIFE_MS
    await served.refused(path, "expired")
    (problem,) = served.desk.problems
    assert "(expired)" in problem


async def test_link_for_what_no_attempt_sends_leads_nowhere(
    served: Served, expect_log: LogGuard
) -> None:
    expect_log(REFUSED, logger=LOGGER)
    async with client_of(served.workspace) as elena:
        unsent = linkable(await uploaded(elena, PICTURE + b"."))
    attempt = served.claim.attempt
    no_attempt = Attempt(
        attempt_id=served.file.attachment_id, n=1, key="k", started_at_utc_ms=10**15
    )
    for file, of in ((unsent, attempt), (served.file, no_attempt)):
        await served.refused(urlsplit(served.links.link(file, of)).path, "gone")


async def test_failed_message_keeps_no_link(served: Served, expect_log: LogGuard) -> None:
    expect_log(REFUSED, logger=LOGGER)
    await served.workspace.services.database.write(
        lambda c: c.exec_driver_sql(
            "UPDATE messages SET state = 'failed' WHERE message_id = ?", (served.claim.message_id,)
        )
    )
    await served.refused(served.path, "gone")


async def test_erased_file_is_gone_at_once(served: Served, expect_log: LogGuard) -> None:
    expect_log(REFUSED, logger=LOGGER)
    services, path = served.workspace.services, served.path
    sent = SendResult(external_id="x", state=DeliveryState.SENT, at_utc_ms=1)
    await services.database.write(
        lambda c: record_sent(c, served.claim, sent, served.workspace.clock())
    )
    assert (await served.client.get(path)).status_code == 200
    order = ErasureOrder(
        firm_id=FIRM, actor_id="o", basis="b", message_ids=(served.claim.message_id,)
    )
    await services.database.write(lambda c: erase(c, order, served.workspace.clock()))
    await served.refused(path, "gone")
    sweep_files(services.database, services.blobs)
    await served.refused(path, "gone")


async def test_file_whose_bytes_were_changed_is_not_given_out(
    served: Served, expect_log: LogGuard
) -> None:
    expect_log(REFUSED, logger=LOGGER)
    served.workspace.services.blobs.remove(served.file.attachment_id, 0)
    await served.refused(served.path, "damaged")


async def test_key_of_links_stays_the_workspaces_own(served: Served) -> None:
    database = served.workspace.services.database
    keys = {await database.write(link_key) for _ in range(2)}
    assert len(keys) == 1
    assert len(keys.pop()) == 32


async def test_cover_is_a_picture_anybody_may_see(served: Served) -> None:
    answer = await served.client.get(urlsplit(served.links.cover()).path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
