"""Keeps one draft per conversation with what is known of files uploaded for it.

It never expires a draft: only sending or the user's own deletion ends it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.store.databases import Databases
from app.store.outbox_rows import get_draft, joined_draft, put_draft
from app.store.payloads import decode_attachment, encode, id_list
from contract.ids import AttachmentId, ConversationId
from contract.wire import Attachment

_IDS = text("SELECT conversation_id FROM drafts")
_PUT_UPLOAD = text(
    "INSERT INTO uploads (attachment_id, payload) VALUES (:id, :payload)"
    " ON CONFLICT (attachment_id) DO UPDATE SET payload = excluded.payload"
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

    async def get(self, conversation_id: ConversationId) -> Draft | None:
        """Return a conversation's draft or None."""
        return await self._databases.read(lambda view: get_draft(view.outbox, conversation_id))

    async def all_ids(self) -> frozenset[ConversationId]:
        """Return the conversations that have a draft."""
        rows = await self._databases.read(lambda view: view.outbox.execute(_IDS).scalars().all())
        return frozenset(ConversationId(each) for each in rows)

    async def remember_attachment(self, attachment: Attachment) -> None:
        """Keep name, type and size of an uploaded file for the draft and the waiting send."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            values = {"id": attachment.attachment_id, "payload": encode(attachment)}
            connection.execute(_PUT_UPLOAD, values)
            return None, ChangeSet()

        await self._databases.write_outbox(work)

    async def attachments(self, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """Return those of the remembered files that are known, in the order asked."""
        return await self._databases.read(lambda view: uploaded(view.outbox, ids))

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
