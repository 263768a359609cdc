"""Held messages between two clients and one real backend: asked, queued, decided, seen.

It never reaches past loopback, and each client keeps its own store.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.core import Core
from app.domain.errors import Conflict
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId, MessageId
from contract.states import DeliveryState
from contract.supervision import Approval, ApprovalState
from tests.app.core_world import holds, new_core, online, row_when
from tests.backend.policies import give_role, small_policy, under
from tests.backend.workspace import ELENA, KENTA, TOKENS, open_workspace, served

TEXT = "Attached is the allocation for the fund."


class Desk:
    """Elena, who writes, and Kenta, who supervises."""

    def __init__(self, elena: Core, kenta: Core, chat: ConversationId) -> None:
        self.elena = elena
        self.kenta = kenta
        self.chat = chat

    async def held(self) -> tuple[MessageId, Approval]:
        """Have Elena ask for approval; return the message and Kenta's view of it."""
        told: list[int] = []
        end = self.kenta.approvals.subscribe(told.append)
        message_id = await self.elena.messaging.send(
            self.chat, TEXT, justification="The client asked for it."
        )
        await row_when(self.elena, message_id, lambda r: r.message.state is DeliveryState.HELD)
        await holds(lambda: 1 in told)
        end()
        (approval,) = await self.kenta.approvals.read()
        return message_id, approval


@asynccontextmanager
async def _core(folder: Path, url: str, employee_id: str) -> AsyncIterator[Core]:
    endpoint = BackendEndpoint(url=url, token=TOKENS[employee_id])
    core = new_core(folder, endpoint=endpoint)
    try:
        await core.open()
        await core.connect()
        await online(core)
        yield core
    finally:
        await core.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Yield both clients, online."""
    async with open_workspace(tmp_path / "backend") as workspace:
        await give_role(workspace, KENTA, "supervisor")
        ready = under(workspace, small_policy())
        chat = await ready.conversation_of(await ready.inbound("Good morning"))
        async with (
            served(ready) as url,
            _core(tmp_path / "elena", url, ELENA) as elena,
            _core(tmp_path / "kenta", url, KENTA) as kenta,
        ):
            yield Desk(elena, kenta, chat)


async def test_a_supervisor_hears_of_a_held_message_and_reads_all_of_it(desk: Desk) -> None:
    assert desk.kenta.approvals.is_offered and not desk.elena.approvals.is_offered
    message_id, approval = await desk.held()
    assert approval.message_id == message_id and approval.text == TEXT
    assert approval.justification == "The client asked for it."
    assert [one.message for one in approval.findings] == ["Needs approval"]
    assert desk.kenta.approvals.pending == 1


async def test_an_approved_message_goes_on_at_its_sender(desk: Desk) -> None:
    message_id, approval = await desk.held()
    decided = await desk.kenta.approvals.decide(approval, approve=True, note="", key="k-1")
    again = await desk.kenta.approvals.decide(approval, approve=True, note="", key="k-1")
    assert decided.state is again.state is ApprovalState.APPROVED
    await row_when(desk.elena, message_id, lambda r: r.message.state is not DeliveryState.HELD)
    await holds(lambda: desk.kenta.approvals.pending == 0)
    with pytest.raises(Conflict):
        await desk.kenta.approvals.decide(approval, approve=False, note="no", key="k-2")


async def test_a_rejected_message_comes_back_with_the_supervisors_words(desk: Desk) -> None:
    message_id, approval = await desk.held()
    note = "use the template"
    await desk.kenta.approvals.decide(approval, approve=False, note=note, key="k-1")
    row = await row_when(desk.elena, message_id, lambda r: r.message.state is DeliveryState.BLOCKED)
    assert note in row.message.state_detail
    draft = await desk.elena.messaging.edit_refused(message_id)
    assert draft.text == TEXT
