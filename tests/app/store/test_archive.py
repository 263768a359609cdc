"""Shows that what is known of the archive is durable, and that older outbox files take it in.

They verify no proof.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.domain.archive import VerifiedEntry
from app.store.cipher import connect
from app.store.store import Store
from contract.ids import MessageId
from contract.states import IllegalTransition, OutboxEvent
from contract.wire import Message
from tests.app.store.values import HOME, archive_ref, conversation, entry, fill, message, open_at


def _verified(message_id: str, leaf_hash: str) -> VerifiedEntry:
    return VerifiedEntry(MessageId(message_id), HOME, 1, 7, leaf_hash, 1_000)


def _sealed() -> Message:
    return msgspec.structs.replace(message("w"), archive=archive_ref(7))


async def test_settling_notes_the_entry_and_ends_its_submission(store: Store) -> None:
    await fill(store, (conversation(),), (_sealed(),))
    known = await store.timeline.message(MessageId("w"))
    assert known is not None and known.message.archive is not None and not known.verified
    await store.outbox.add(entry("w"))
    with pytest.raises(IllegalTransition):
        await store.archive.settle(_verified("w", known.message.archive.entry_hash))
    await store.outbox.transition(MessageId("w"), OutboxEvent.START)
    await store.outbox.transition(MessageId("w"), OutboxEvent.ACCEPT)
    assert [each.message_id for each in await store.archive.accepted()] == ["w"]
    await store.archive.settle(_verified("w", known.message.archive.entry_hash))
    assert await store.archive.accepted() == ()
    assert await store.outbox.get(MessageId("w")) is None
    (row,) = (await store.timeline.around(HOME)).rows
    assert row.verified and row.outbox is None


async def test_another_entry_than_the_verified_one_is_not_shown_as_verified(store: Store) -> None:
    await fill(store, (conversation(),), (_sealed(),))
    await store.archive.note_verified(_verified("w", "ab" * 32))
    (row,) = (await store.timeline.around(HOME)).rows
    assert not row.verified


async def test_keys_tree_and_alarm_are_kept_in_one_commit_and_outlive_a_new_cache(
    tmp_path: Path,
) -> None:
    store = await open_at(tmp_path)
    await store.archive.put({"tree": b"t", "alarm": b"a"})
    await store.archive.put({"alarm": None})
    await store.close()
    (tmp_path / "cache.db").unlink()
    store = await open_at(tmp_path)
    assert await store.archive.get("tree") == b"t"
    assert await store.archive.get("alarm") is None
    await store.close()


async def test_an_outbox_file_of_version_1_is_brought_up_to_date(tmp_path: Path) -> None:
    store = await open_at(tmp_path)
    await store.outbox.add(entry("kept"))
    await store.close()
    connection = connect(tmp_path / "outbox.db", b"o" * 32)
    for statement in (
        "DROP TABLE archive_state",
        "DROP TABLE verified",
        "DROP INDEX outbox_accepted",
        "PRAGMA user_version = 1",
    ):
        connection.execute(statement)
    connection.close()
    store = await open_at(tmp_path)
    assert (await store.outbox.get(MessageId("kept"))) is not None
    await store.archive.put({"tree": b"t"})
    assert await store.archive.get("tree") == b"t" and await store.archive.accepted() == ()
    await store.close()
