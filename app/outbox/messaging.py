"""Owns what the person does with messages: send, undo, mend, mark read, attach, save drafts.

It never waits for the network before it answers a send: the outbox row's commit is the answer.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from app.domain.clock import Clock
from app.domain.drafts import CheckedDraft, Draft
from app.domain.errors import Conflict, Refused, TooLarge
from app.domain.timeline import OutboxEntry
from app.faults import answered
from app.outbox.files import FileTransfers, Progress, ignored
from app.outbox.lanes import LONGEST_UNDO_S, LaneRunner
from app.outbox.queue import OutboxQueue
from app.outbox.read_marks import ReadMarks
from app.outbox.sent_changes import SentChanges
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.ids import RANDOM_BYTES_OF_UUID7, AttachmentId, ConversationId, MessageId, uuid7
from contract.states import DeliveryState, IllegalTransition, OutboxState
from contract.wire import MAX_TEXT_CHARS, Attachment

_LOG = logging.getLogger(__name__)

NOT_DELIVERED = frozenset({DeliveryState.BLOCKED, DeliveryState.FAILED, DeliveryState.EXPIRED})

Hint = Callable[[CheckedDraft], bytes]


class Messaging:
    """The person's actions on conversations; raises errors of app.domain.errors.

    `queue` is everything that waits, to be looked through and cancelled; `sent` changes what is
    out already.
    """

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        clock: Clock,
        lanes: LaneRunner,
        marks: ReadMarks,
        files: FileTransfers,
        sent: SentChanges,
        *,
        undo_s: Callable[[], int],
        hint: Hint,
    ) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._lanes = lanes
        self._marks = marks
        self._files = files
        self._undo_s = undo_s
        self._hint = hint
        self._open = True
        self.sent = sent
        self.queue = OutboxQueue(store, lanes.wake)

    async def send(
        self,
        conversation_id: ConversationId,
        text: str,
        *,
        quote: MessageId | None = None,
        attachment_ids: tuple[AttachmentId, ...] = (),
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
        template_id: str = "",
        several: int = 0,
        hint: bytes | None = None,
        keeps_draft: bool = False,
    ) -> MessageId:
        """Write the outbox row and remove the draft in one commit, then return its id.

        `acknowledged` and `false_positives` are the ids of rules the sender answered so.
        `several` is to how many people the text goes as separate chats. `keeps_draft` leaves the
        conversation's draft alone: the text was written elsewhere, `hint` reports the decision
        made there. The commit happens even when the caller is cancelled. Raises Refused for an
        empty message, TooLarge, DiskFull; then nothing was written and the draft stays.
        """
        self._check_sendable(text, attachment_ids)
        if hint is None:
            hint = await self._report(conversation_id, text, attachment_ids, quote, template_id)
        now_utc_ms = self._clock.now_utc_ms()
        undo_ms = 1000 * max(0, min(self._undo_s(), LONGEST_UNDO_S))
        entry = OutboxEntry(
            message_id=MessageId(uuid7(now_utc_ms, secrets.token_bytes(RANDOM_BYTES_OF_UUID7))),
            revision=1,
            conversation_id=conversation_id,
            text=text,
            salt=secrets.token_hex(32),
            state=OutboxState.UNDO if undo_ms else OutboxState.QUEUED,
            composed_at_utc_ms=now_utc_ms,
            undo_until_utc_ms=now_utc_ms + undo_ms if undo_ms else 0,
            quote_message_id=quote,
            attachment_ids=attachment_ids,
            justification=justification,
            acknowledged=acknowledged,
            false_positives=false_positives,
            template_id=template_id,
            several=several,
            hint_json=hint,
        )
        await self._commit(entry, keeps_draft=keeps_draft)
        return entry.message_id

    async def undo(self, message_id: MessageId) -> Draft:
        """Take a send back within its undo period; its text is a draft again.

        Raises Conflict when it is too late.
        """
        return await self._take_back(message_id)

    async def cancel(self, message_id: MessageId) -> Draft:
        """Take back a submission that still waits for the connection; as `undo`."""
        return await self._take_back(message_id)

    async def edit_refused(self, message_id: MessageId) -> Draft:
        """Put the text of what did not go out back into the draft, to be sent as a new message.

        A refused submission of this computer is forgotten by that; a blocked, failed or expired
        message stays where it is, and its text joins the draft on a new line. Files come along
        where the backend lets them go again: those of a blocked message. Raises Conflict.
        """
        if await self._store.outbox.get(message_id) is not None:
            return await self._take_back(message_id)
        row = await self._store.timeline.message(message_id)
        message = None if row is None else row.message
        if message is None or message.deleted or message.state not in NOT_DELIVERED:
            raise Conflict("The message is already on its way.")
        files = message.attachments if message.state is DeliveryState.BLOCKED else ()
        for file in files:
            await self._store.drafts.remember_attachment(file)
            await self._files.inspect_again(file)
        addition = Draft(
            message.conversation_id,
            message.text,
            quote_message_id=message.quote.message_id if message.quote is not None else None,
            attachment_ids=tuple(file.attachment_id for file in files),
            saved_at_utc_ms=self._clock.now_utc_ms(),
        )
        return await self._store.drafts.join(addition)

    def retry_now(self) -> None:
        """Try every waiting submission at once."""
        self._lanes.retry_all()
        self._marks.wake()

    async def resolve_unknown(self, message_id: MessageId, action: str) -> None:
        """Tell the backend what to do with a message whose delivery is unknown.

        `action` is `send_again`, `treat_as_delivered` or `give_up`.
        """
        message = await answered(self._api.commands.resolve_unknown(message_id, action))
        await self._store.cache.apply_answers(messages=(message,))

    async def save_draft(self, draft: Draft) -> None:
        """Store a draft; an empty one is removed."""
        await self._store.drafts.save(draft)

    async def mark_read(
        self, conversation_id: ConversationId, upto_utc_ms: int | None = None
    ) -> None:
        """Mark what is placed up to a moment as read; None: up to the newest message here.

        The mark is sent again until the backend has taken it; nothing is raised for the line.
        """
        await self._marks.mark(conversation_id, upto_utc_ms)

    async def typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """Tell the client's side that the employee types; failures are of no consequence."""
        with contextlib.suppress(ClientError):
            await self._api.commands.typing(conversation_id, typing)

    async def upload(self, path: Path, progress: Progress = ignored) -> Attachment:
        """Upload a file, resuming where a cut came; return what to attach.

        `progress` hears how many bytes of how many the backend holds; cancelling ends it.
        """
        return await self._files.upload(path, progress)

    async def download(
        self, attachment: Attachment, save_as: Path, home: ConversationId | None = None
    ) -> Path:
        """Save an attachment, checked by its SHA-256, where the person chose; return the path."""
        return await self._files.download(attachment, save_as, home)

    def stop_intake(self) -> None:
        """Refuse further sends: Parley is closing."""
        self._open = False

    async def _commit(self, entry: OutboxEntry, *, keeps_draft: bool) -> None:
        try:
            if keeps_draft:
                await self._store.outbox.add(entry)
            else:
                await self._store.outbox.clear_draft_and_add(entry)
        finally:
            self._lanes.wake()

    def _check_sendable(self, text: str, attachment_ids: tuple[AttachmentId, ...]) -> None:
        if not text.strip() and not attachment_ids:
            raise Refused("There is nothing to send.")
        if len(text) > MAX_TEXT_CHARS:
            raise TooLarge(f"The message is longer than {MAX_TEXT_CHARS} characters.")
        if not self._open:
            raise Conflict("Parley is closing; the text stays as a draft.")

    async def _report(
        self,
        home: ConversationId,
        text: str,
        attachment_ids: tuple[AttachmentId, ...],
        quote: MessageId | None,
        template_id: str,
    ) -> bytes:
        """Return the report of this computer's own decision on what goes out."""
        files = await self._store.drafts.attachments(attachment_ids) if attachment_ids else ()
        row = await self._store.timeline.message(quote) if quote is not None else None
        quoted = row.message.text if row is not None else ""
        return self._hint(CheckedDraft(home, text, files, quoted, template_id))

    async def _take_back(self, message_id: MessageId) -> Draft:
        try:
            entry = await self._store.outbox.cancel(message_id)
        except IllegalTransition as fault:
            raise Conflict("The message is already on its way.") from fault
        finally:
            self._lanes.wake()
        draft = await self._store.drafts.get(entry.conversation_id)
        return draft or Draft(conversation_id=entry.conversation_id, text=entry.text)
