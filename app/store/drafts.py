"""Keeps one draft per conversation with what is known of files uploaded for it.

It never expires a draft: only sending or the user's own deletion ends it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.store.databases import Databases
from app.store.outbox_rows import drop_draft, get_draft, joined_draft, put_draft
from app.store.payloads import decode_attachment, decode_inspection, encode, id_list
from contract.ids import AttachmentId, ConversationId
from contract.inspection.model import FileInspection
from contract.wire import Attachment

_IDS = text("SELECT conversation_id FROM drafts")
_PUT_UPLOAD = text(
    "INSERT INTO uploads (attachment_id, payload, found) VALUES (:id, :payload, :found)"
    " ON CONFLICT (attachment_id) DO UPDATE SET payload = excluded.payload,"
    " found = coalesce(excluded.found, found)"
)
_FOUND = text(
    "SELECT attachment_id, found FROM uploads WHERE found IS NOT NULL"
    " AND attachment_id IN (SELECT value FROM json_each(:ids))"
)
_UPLOADS = text(
    "SELECT payload FROM uploads WHERE attachment_id IN (SELECT value FROM json_each(:ids))"
)


class DraftStore:
    """Drafts in the outbox's file, so that a send replaces its draft in one commit."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def save(self, draft: Draft) -> None:
        """Keep a draft in place of the former one; an empty one removes it."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            put_draft(connection, draft)
            home = frozenset({draft.conversation_id})
            return None, ChangeSet(drafts=home, initiator="drafts")

        await self._databases.write_outbox(work)

    async def join(self, addition: Draft) -> Draft:
        """Put `addition` behind what the draft holds, in one commit; return the whole."""

        def work(connection: Connection) -> tuple[Draft, ChangeSet]:
            whole = joined_draft(get_draft(connection, addition.conversation_id), addition)
            put_draft(connection, whole)
            home = frozenset({addition.conversation_id})
            return whole, ChangeSet(drafts=home, initiator="drafts")

        return await self._databases.write_outbox(work)

    async def move(self, home: ConversationId, to: ConversationId, now_utc_ms: int) -> None:
        """Put a conversation's draft behind what another's holds, in one commit.

        What it answered and what was answered to its findings stay behind: they belong to the
        conversation it leaves.
        """

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            draft = get_draft(connection, home)
            if draft is not None:
                bare = Draft(
                    to,
                    draft.text,
                    attachment_ids=draft.attachment_ids,
                    saved_at_utc_ms=now_utc_ms,
                )
                put_draft(connection, joined_draft(get_draft(connection, to), bare))
                drop_draft(connection, home)
            return None, ChangeSet(drafts=frozenset({home, to}), initiator="drafts")

        await self._databases.write_outbox(work)

    async def get(self, conversation_id: ConversationId) -> Draft | None:
        """Return a conversation's draft or None."""
        return await self._databases.read(lambda view: get_draft(view.outbox, conversation_id))

    async def all_ids(self) -> frozenset[ConversationId]:
        """Return the conversations that have a draft."""
        rows = await self._databases.read(lambda view: view.outbox.execute(_IDS).scalars().all())
        return frozenset(ConversationId(each) for each in rows)

    async def remember_attachment(
        self, attachment: Attachment, found: FileInspection | None = None
    ) -> None:
        """Keep name, type and size of an uploaded file for the draft and the waiting send.

        `found` is what inspection told of it; None leaves what was told before.
        """
        told = None if found is None else encode(found)

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            values = {"id": attachment.attachment_id, "payload": encode(attachment), "found": told}
            connection.execute(_PUT_UPLOAD, values)
            return None, ChangeSet()

        await self._databases.write_outbox(work)

    async def attachments(self, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """Return those of the remembered files that are known, in the order asked."""
        if not ids:
            return ()
        return await self._databases.read(lambda view: uploaded(view.outbox, ids))

    async def inspections(self, ids: Sequence[AttachmentId]) -> dict[AttachmentId, FileInspection]:
        """Return what inspection found in those of the files where it is known."""
        rows = await self._databases.read(
            lambda view: view.outbox.execute(_FOUND, {"ids": id_list(ids)}).all()
        )
        return {AttachmentId(row[0]): decode_inspection(row[1]) for row in rows}

    async def purge_all(self) -> None:
        """Remote wipe: remove every draft and outbox entry, and overwrite their pages."""
        await self._databases.purge_outbox()


def uploaded(outbox: Connection, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
    """Return those of the uploaded files that are known, in the order asked."""
    if not ids:
        return ()
    rows = outbox.execute(_UPLOADS, {"ids": id_list(ids)}).scalars()
    known = {each.attachment_id: each for each in map(decode_attachment, rows)}
    return tuple(known[each] for each in ids if each in known)
