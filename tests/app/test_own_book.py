"""The own book in hints: names, companies and accounts, as the backend knows them.

It never looks into the backend's files while a backend holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, select

from app.core import Core
from app.domain.drafts import CheckedDraft
from app.domain.inbox import InboxQuery
from backend.directory.client_accounts import set_accounts
from backend.inbox.events import open_database
from backend.storage.tables import decisions
from backend.workspace import DATABASE_FILE
from contract.ids import ConversationId
from contract.policy.model import FixKind
from tests.app.core_world import PASSPHRASE, holds, paths_in, row_when, running_core

T = TypeVar("T")
ACCOUNT = "CH93 0076 2011 6238 5295 7"


def _in_backend(folder: Path, work: Callable[[Connection], T]) -> T:
    """Do something in the stopped backend's database."""
    from app.session.keys import KeyVault

    key = KeyVault().unlock_with_passphrase(paths_in(folder), PASSPHRASE).derive("backend")
    database = open_database(paths_in(folder).data_dir / "backend" / DATABASE_FILE, key)
    try:
        return database.write_now(work)
    finally:
        database.close_now()


async def _two_chats(core: Core) -> tuple[ConversationId, ConversationId, str, str]:
    """Return Hana's and Marcus's chats, Marcus's contact id and name."""
    page = await core.store.inbox.page(InboxQuery(), 100)
    talks = [row.conversation for row in page.rows if not row.conversation.group]
    hana = next(one for one in talks if one.title == "Hana Watanabe" and one.send is not None)
    marcus = next(one for one in talks if one.title == "Marcus Feld")
    return hana.conversation_id, marcus.conversation_id, marcus.contact_ids[0], marcus.title


async def test_another_clients_name_and_account_are_found_alike_on_both_sides(
    tmp_path: Path,
) -> None:
    """The guard offers to move the draft, and no hint differs from the enforcement."""
    async with running_core(tmp_path) as core:
        chat, home, contact_id, name = await _two_chats(core)
    _in_backend(tmp_path, lambda c: set_accounts(c, contact_id, [ACCOUNT], "test", 1))
    async with running_core(tmp_path) as core:
        await core.open_conversation(chat)
        await holds(lambda: core.desk.engine is not None)

        def fixes(text: str) -> list[tuple[str, str]]:
            decision = core.desk.decide(CheckedDraft(chat, text))
            found = decision.findings if decision is not None else ()
            return [(one.kind.value, one.replacement) for f in found for one in f.fixes]

        move = (FixKind.MOVE.value, home)
        await holds(lambda: move in fixes(f"As {name} asked"))
        await holds(lambda: move in fixes(f"Paid to {ACCOUNT} today"))
        sent = [
            await core.messaging.send(chat, text, acknowledged=("recipients.wrong-client",))
            for text in (f"As {name} asked", "Good morning, see you at three")
        ]
        for message_id in sent:
            await row_when(core, message_id, lambda row: row.message.state is not None)
    kept = _in_backend(
        tmp_path,
        lambda c: c.execute(
            select(decisions.c.hint_decision_hash, decisions.c.drift).where(
                decisions.c.message_id.in_(sent)
            )
        ).all(),
    )
    assert len(kept) == 2
    assert all(row.hint_decision_hash and row.drift == "" for row in kept)
