"""Writes what the server tells into the cache: events, snapshot pages, single answers.

It never touches the outbox or drafts and never lowers a version.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.changes import ChangeSet
from app.store.check import SnapshotProgress
from contract.events import Event
from contract.ids import ConversationId
from contract.wire import Contact, Conversation, Message, SnapshotPage


class CacheWrites:
    """All writes go through one thread; each is one commit unless its docstring says else.

    The change set is published after the commit even when the caller was cancelled.
    Raises DiskFull, CorruptStore (the cache was then made anew: sync from a snapshot).
    """

    async def apply_events(self, events: Sequence[Event], new_seq: int) -> ChangeSet:
        """Apply events by version, idempotently, with the stream's position.

        Long lists are cut into commits of some 20 ms, each with the position it reached; the
        position never falls. While a snapshot is under way the content is applied but the
        position stays (events are streamed again from the snapshot's). Raises CursorGone when
        no snapshot was ever begun: nothing is applied then.
        """
        raise NotImplementedError

    async def apply_snapshot_page(self, page: SnapshotPage, *, first: bool) -> ChangeSet:
        """Apply one page and note where to go on; the last page sets the cursor to `seq`.

        `first` begins a new snapshot. After the last page what the snapshot did not hold is
        removed (it was revoked or erased meanwhile).
        """
        raise NotImplementedError

    async def apply_answers(
        self,
        *,
        contacts: Sequence[Contact] = (),
        conversations: Sequence[Conversation] = (),
        messages: Sequence[Message] = (),
        history: bool = False,
    ) -> ChangeSet:
        """Apply what single calls returned (a submission's message, an older page) by version.

        `history` tells that the messages are older than what is here. The cursor stays.
        """
        raise NotImplementedError

    async def cursor(self) -> int | None:
        """Return the stream position to resume from, None when a snapshot is due."""
        raise NotImplementedError

    async def snapshot_progress(self) -> SnapshotProgress | None:
        """Return where an interrupted snapshot goes on, or None."""
        raise NotImplementedError

    async def begin_resync(self) -> None:
        """Forget the cursor (410 from the stream); rows stay readable until the new snapshot."""
        raise NotImplementedError

    async def purge_conversation(self, conversation_id: ConversationId) -> ChangeSet:
        """Remove a conversation the backend says is not there for this employee (any more)."""
        raise NotImplementedError

    async def purge_all(self) -> ChangeSet:
        """Remote wipe: remove every row and overwrite the freed pages; `reset` is published."""
        raise NotImplementedError

    async def put_meta(self, key: str, value: bytes) -> None:
        """Keep bytes under a name: `me` (JSON of wire.Me), `capabilities`, `policy_bundle` …"""
        raise NotImplementedError

    async def get_meta(self, key: str) -> bytes | None:
        """Return the bytes kept under a name, or None."""
        raise NotImplementedError
