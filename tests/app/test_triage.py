"""Unknown senders between two clients and one real backend: told, read, assigned, arrived.

It never reaches past loopback, and each client keeps its own store.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, update

from app.core import Core
from backend.directory.account_changes import set_member, set_owner
from backend.directory.client_book import NewClient, add_client
from backend.directory.modes import set_mode
from backend.directory.points import PointAddress
from backend.storage import tables
from contract.ids import EmployeeId
from contract.triage import TriageAction, TriageCommand, TriageState
from contract.wire import Channel, Mode
from tests.app.core_world import holds, row_when
from tests.app.test_approvals import _core
from tests.backend.workspace import ELENA, FIRM, KENTA, open_workspace, served
from tests.support.waiting import eventually

STRANGER = PointAddress(Channel.WHATSAPP, "phone", "+819000000555")


def _pool(connection: Connection) -> None:
    accounts = tables.channel_accounts
    connection.execute(
        update(accounts).where(accounts.c.account_id == "acc-wa").values(pooled=True)
    )
    set_member(connection, "acc-wa", KENTA, True, "admin", 1)
    set_owner(connection, "acc-wa", KENTA, True, "admin", 1)


async def test_the_owner_hears_of_a_stranger_and_the_colleague_gets_all_messages(
    tmp_path: Path,
) -> None:
    async with open_workspace(tmp_path / "backend") as workspace:
        database = workspace.services.database
        await database.write(_pool)
        async with (
            served(workspace) as url,
            _core(tmp_path / "elena", url, ELENA) as elena,
            _core(tmp_path / "kenta", url, KENTA) as kenta,
        ):
            message_id = await workspace.inbound("Who are you?", point=STRANGER)
            await holds(lambda: kenta.triage.pending == 1)
            assert kenta.triage.is_offered and not elena.triage.is_offered
            (item,) = await kenta.triage.read()
            to_elena = TriageCommand(action=TriageAction.ASSIGN, employee_id=EmployeeId(ELENA))
            decided = await kenta.triage.decide(item, to_elena, key="k-1")
            assert decided.state is TriageState.ASSIGNED
            row = await row_when(elena, message_id, lambda row: row.message.archive is not None)
            assert row.message.text == "Who are you?"
            home = item.conversation_id
            await eventually(lambda: elena.store.inbox.conversation(home), "the conversation")
            await holds(lambda: kenta.triage.pending == 0)
            await database.write(
                lambda c: set_mode(c, ELENA, Channel.WHATSAPP, Mode.NATIVE, "admin", 5)
            )
            await holds(lambda: _mode_of(elena) is Mode.NATIVE)


def _mode_of(core: Core) -> Mode | None:
    accounts = () if core.me is None else core.me.accounts
    return next((one.mode for one in accounts if one.channel is Channel.WHATSAPP), None)


async def test_a_client_of_the_own_book_with_a_new_number_stays_one_client(tmp_path: Path) -> None:
    new = NewClient(
        display_name="Hana Watanabe",
        points=(PointAddress(Channel.SIGNAL, "uuid", "hana-signal"),),
        employees=(KENTA,),
    )
    async with open_workspace(tmp_path / "backend") as workspace:
        database = workspace.services.database
        await database.write(_pool)
        await database.write(lambda c: add_client(c, FIRM, new, "admin", 1))
        async with (
            served(workspace) as url,
            _core(tmp_path / "kenta", url, KENTA) as kenta,
        ):
            message_id = await workspace.inbound("My new number", point=STRANGER)
            await holds(lambda: kenta.triage.pending == 1)
            (item,) = await kenta.triage.read()
            (hana,) = await kenta.triage.book()
            joined = TriageCommand(action=TriageAction.CLAIM, contact_id=hana.contact_id)
            decided = await kenta.triage.decide(item, joined, key="k-1")
            assert decided.title == "Hana Watanabe"
            await row_when(kenta, message_id, lambda row: row.message.archive is not None)

            async def joined_chat() -> bool:
                chat = await kenta.store.inbox.conversation(item.conversation_id)
                told = None if chat is None else (chat.title, chat.contact_ids)
                return told == ("Hana Watanabe", (hana.contact_id,))

            await eventually(joined_chat, "the conversation with the client known before")
            (known,) = await kenta.triage.book()
            assert [point.channel for point in known.points] == [Channel.SIGNAL, Channel.WHATSAPP]
