"""Rules 1, 2 and 5: what is recorded, how long it is kept, and that nothing leaves before it is.

It does not test the archive's arithmetic; tests/backend/archive does.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from backend.archive.entries import entries_of_message
from backend.archive.erasure import ErasureOrder, ErasureRefused, erase
from backend.archive.expiry import find_expired
from backend.archive.retention import assign_class, set_class, shipped_classes
from backend.archive.verify import read_envelope, verify_archive
from backend.delivery.claims import next_work
from backend.inbox.inbound import record_delete, record_edit
from contract.receipts.leaf import body_commitment
from contract.states import DeliveryState
from tests.backend.delivery.harness import house
from tests.backend.workspace import ELENA, FIRM, Workspace
from tests.law.conftest import DAY_MS, send

ARRIVED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)


async def test_rule_01_the_original_is_rebuilt_with_time_and_individual(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    """SEC 17a-4(f)(2)(i)(A): all changes, with time and individual; the original re-created."""
    message_id = await workspace.inbound("Buy 100", external="wamid.1")
    chat = await workspace.conversation_of(message_id)
    change: dict[str, Any] = {
        "account_id": "acc-wa",
        "external_message_id": "wamid.1",
        "occurred_at_utc_ms": workspace.clock(),
        "received_at_utc_ms": workspace.clock(),
    }
    write, read = workspace.services.database.write, workspace.services.database.read
    await write(partial(record_edit, text="Buy 1000", **change))
    await write(partial(record_delete, **change))
    entries = await read(partial(entries_of_message, message_id=message_id))
    assert [entry.kind for entry in entries] == ["message_in", "edited", "deleted"]
    assert msgspec.json.decode(entries[0].body or b"")["text"] == "Buy 100"
    assert msgspec.json.decode(entries[1].body or b"")["text"] == "Buy 1000"
    assert all(read_envelope(entry.leaf).actor_id for entry in entries)
    times = [entry.archived_at_utc_ms for entry in entries]
    assert times == sorted(times)
    assert times[0] > 0

    answer = await send(workspace, client, chat, "Noted, 100 it is.")
    ours = answer.json()["message"]["message_id"]
    (entry,) = await read(partial(entries_of_message, message_id=ours))
    envelope = read_envelope(entry.leaf)
    assert envelope.actor_id == ELENA
    # What is kept is what was said: the words are bound into the leaf by their commitment.
    assert entry.salt is not None
    assert envelope.body_commitment == body_commitment(entry.salt, entry.body or b"")
    assert (await read(verify_archive)).ok


async def test_rule_02_records_are_kept_for_their_periods(workspace: Workspace) -> None:
    """17a-4(b) three years, two of them accessible; FINRA 4511 six; complaints (4513) four."""
    shipped = {one.class_id: one for one in shipped_classes()}
    broker = shipped["us-broker-dealer"]
    assert (broker.keep_months, broker.accessible_months) == (36, 24)
    assert shipped["finra-4511"].keep_months == 72
    assert shipped["complaints"].keep_months == 48
    message_id = await workspace.inbound("I want to complain about the fees")
    officer, write = "officer-1", workspace.services.database.write
    await write(lambda c: set_class(c, FIRM, broker, officer, workspace.clock()))
    await write(
        lambda c: assign_class(c, FIRM, "firm", "", broker.class_id, officer, workspace.clock())
    )
    now = workspace.clock()
    order = ErasureOrder(
        firm_id=FIRM, actor_id=officer, basis="A request", message_ids=(message_id,)
    )
    with pytest.raises(ErasureRefused):
        await write(lambda c: erase(c, order, now + 2 * 365 * DAY_MS))
    early = await write(lambda c: find_expired(c, FIRM, now + 3 * 365 * DAY_MS - DAY_MS, 100))
    late = await write(lambda c: find_expired(c, FIRM, now + 3 * 366 * DAY_MS, 100))
    assert message_id not in early.message_ids
    assert message_id in late.message_ids


async def test_rule_05_nothing_is_delivered_before_the_archive_acknowledged_it(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    """FINRA 17-18 and SEC 17a-4(b)(4): retention first, then the channel."""
    workspace.sealing.witness.away = True
    workspace.services.archive.sealed_within_s = 0.1
    answer = await send(workspace, client, chat, "Thank you, I will come back to you.")
    assert answer.status_code == 202
    read = workspace.services.database.read
    look = partial(next_work, paused=frozenset(), now_utc_ms=workspace.clock() + DAY_MS)
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 1
    assert not (await read(look)).ready
    workspace.sealing.witness.away = False
    await workspace.sealing.sealed()
    assert (await read(look)).ready


async def test_rule_05_what_is_delivered_is_in_the_archive(tmp_path: Path) -> None:
    """The same through the real worker and channel: the client's phone gets archived words."""
    async with house(tmp_path) as opened:
        message_id = await opened.submit(await opened.chat("con-marcus", "whatsapp"), "Archived")
        await opened.until_sealed(message_id)
        (entry,) = await opened.read(partial(entries_of_message, message_id=message_id))
        assert msgspec.json.decode(entry.body or b"")["text"] == "Archived"
        await opened.until_state(message_id, *ARRIVED)
        assert "Archived" in await opened.received()
        assert (await opened.read(verify_archive)).ok
