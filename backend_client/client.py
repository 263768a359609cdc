"""Owns the calls of the governed API, one method each, typed by the contract.

It never retries and never keeps state: callers own patience, the transport owns connections.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backend_client.archive_calls import ArchiveCalls
from backend_client.calls import Caller, decode_reply, new_key, of_history, refuse_problems
from backend_client.change_calls import ChangeCalls
from backend_client.import_calls import ImportCalls
from backend_client.search_calls import SearchCalls
from backend_client.snapshot_pages import read_page
from backend_client.supervision_calls import SupervisionCalls
from backend_client.transport import Transport
from backend_client.triage_calls import TriageCalls
from contract import api, wire
from contract.events import EventPage
from contract.ids import AttachmentId, ContactId, ConversationId, MessageId, idempotency_key

OCTETS = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class BundleReply:
    """A policy bundle's bytes with the entity tag to ask by next time."""

    body: bytes
    etag: str


class WorkspaceCalls:
    """What the backend is, who asks, which policy holds, and whether it is well."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def health(self) -> wire.Health:
        """Ask how the backend is; needs no token."""
        return await self._caller.get(api.HEALTH, wire.Health, timeout_s=5.0)

    async def capabilities(self) -> wire.CapabilitiesDocument:
        """Read what this backend is and asks of its clients; needs no token."""
        return await self._caller.get(api.CAPABILITIES, wire.CapabilitiesDocument)

    async def me(self) -> wire.Me:
        """Read the signed-in person."""
        return await self._caller.get(api.ME, wire.Me)

    async def policy_bundle(self, etag: str = "") -> BundleReply | None:
        """Read the policy bundle; None when `etag` is still the newest."""
        asked = {"If-None-Match": etag} if etag else {}
        reply = await self._caller.exchange("GET", api.POLICY_BUNDLE, headers=asked, also={304})
        if reply.status == 304:
            return None
        return BundleReply(reply.body, reply.headers.get("etag", ""))

    async def archive_probe(self) -> wire.ArchiveProbe:
        """Have a synthetic entry archived and read back; changes nothing a client sees."""
        return await self._caller.command("POST", api.ARCHIVE_PROBE, None, wire.ArchiveProbe)


class InboxCalls:
    """What the employee may see: snapshot, events, conversations, messages, contacts."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def snapshot(self, cursor: str = "", limit: int = wire.MAX_PAGE) -> wire.SnapshotPage:
        """Read one page of the first sync; an empty cursor begins it. 410 raises CursorGone."""
        asked = _paging(cursor, limit)
        return await read_page(await self._caller.exchange("GET", api.SNAPSHOT, params=asked))

    async def events_poll(self, after: int, wait_s: float, history: str = "") -> EventPage:
        """Wait up to `wait_s` seconds for events behind position `after` (long polling).

        `history` is the history id with which the position was told ("": any). 410 raises
        CursorGone.
        """
        asked = {"after": str(after), "wait_s": f"{wait_s:g}", **of_history(history)}
        return await self._caller.get(
            api.EVENTS_POLL, EventPage, params=asked, timeout_s=wait_s + 15.0
        )

    async def positions(self, after: int, history: str = "") -> wire.PositionPage:
        """Ask which conversations changed behind a stream position, as `events_poll` names it."""
        asked = {"after": str(after), **of_history(history)}
        return await self._caller.get(api.POSITIONS, wire.PositionPage, params=asked)

    async def conversations(self, cursor: str = "", limit: int = 100) -> wire.ConversationPage:
        """Read conversations, newest activity first."""
        asked = _paging(cursor, limit)
        return await self._caller.get(api.CONVERSATIONS, wire.ConversationPage, params=asked)

    async def conversation(self, conversation_id: ConversationId) -> wire.Conversation:
        """Read one conversation."""
        path = api.CONVERSATION.format(conversation_id=conversation_id)
        return await self._caller.get(path, wire.Conversation)

    async def messages(
        self,
        conversation_id: ConversationId,
        cursor: str = "",
        limit: int = 100,
        *,
        before_utc_ms: int | None = None,
    ) -> wire.MessagePage:
        """Read a conversation's messages, newest first, from before a time if one is given."""
        path = api.CONVERSATION_MESSAGES.format(conversation_id=conversation_id)
        asked = _paging(cursor, limit)
        if before_utc_ms is not None:
            asked["before_utc_ms"] = str(before_utc_ms)
        return await self._caller.get(path, wire.MessagePage, params=asked)

    async def message(self, message_id: MessageId) -> wire.Message:
        """Read one message."""
        path = api.MESSAGE.format(message_id=message_id)
        return await self._caller.get(path, wire.Message)

    async def contacts(self, cursor: str = "", limit: int = 100) -> wire.ContactPage:
        """Read the employee's book by name."""
        asked = _paging(cursor, limit)
        return await self._caller.get(api.CONTACTS, wire.ContactPage, params=asked)

    async def contact(self, contact_id: ContactId) -> wire.Contact:
        """Read one contact."""
        return await self._caller.get(api.CONTACT.format(contact_id=contact_id), wire.Contact)


class CommandCalls:
    """What the employee does; each carries an Idempotency-Key."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def submit(
        self, conversation_id: ConversationId, message: wire.SubmitMessage
    ) -> wire.Submitted:
        """Submit a message under its own key: the same bytes again get the same answer."""
        path = api.CONVERSATION_MESSAGES.format(conversation_id=conversation_id)
        key = idempotency_key(message.message_id, message.revision)
        return await self._caller.command("POST", path, message, wire.Submitted, key=key)

    async def mark_read(
        self, conversation_id: ConversationId, upto_utc_ms: int, *, key: str = ""
    ) -> wire.Done:
        """Mark everything placed at or before `upto_utc_ms` as read."""
        path = api.CONVERSATION_READ.format(conversation_id=conversation_id)
        body = wire.MarkRead(upto_utc_ms=upto_utc_ms)
        return await self._caller.command("POST", path, body, wire.Done, key=key)

    async def typing(self, conversation_id: ConversationId, typing: bool) -> wire.Done:
        """Tell that the employee types or has stopped."""
        path = api.CONVERSATION_TYPING.format(conversation_id=conversation_id)
        body = wire.TypingNotice(typing=typing)
        return await self._caller.command("POST", path, body, wire.Done, timeout_s=5.0)

    async def resolve_unknown(
        self, message_id: MessageId, action: str, *, key: str = ""
    ) -> wire.Message:
        """Say what shall become of a message whose delivery is unknown."""
        path = api.MESSAGE_RESOLVE.format(message_id=message_id)
        body = wire.ResolveUnknown(action=action)
        return await self._caller.command("POST", path, body, wire.Message, key=key)


class FileCalls:
    """Attachments in both directions."""

    def __init__(self, caller: Caller, transport: Transport) -> None:
        self._caller = caller
        self._transport = transport

    async def create_attachment(
        self, announced: wire.CreateAttachment, *, key: str
    ) -> wire.UploadState:
        """Announce an upload; the same key again tells how far it came."""
        return await self._caller.command(
            "POST", api.ATTACHMENTS, announced, wire.UploadState, key=key
        )

    async def upload_state(self, attachment_id: AttachmentId) -> wire.UploadState:
        """Ask how many bytes of an upload the backend holds."""
        path = api.ATTACHMENT_UPLOAD.format(attachment_id=attachment_id)
        return await self._caller.get(path, wire.UploadState)

    async def upload(
        self, attachment_id: AttachmentId, offset_bytes: int, piece: bytes
    ) -> wire.UploadState:
        """Send the next piece of an upload; a wrong offset is refused as a conflict."""
        path = api.ATTACHMENT_UPLOAD.format(attachment_id=attachment_id)
        sent = OCTETS | {api.UPLOAD_OFFSET: str(offset_bytes), api.IDEMPOTENCY_KEY: new_key()}
        reply = await self._caller.exchange("PUT", path, headers=sent, body=piece, timeout_s=120.0)
        return decode_reply(reply, wire.UploadState)

    async def download(self, attachment_id: AttachmentId, write: Callable[[bytes], None]) -> None:
        """Fetch an attachment's bytes piece by piece into `write`."""
        path = api.ATTACHMENT.format(attachment_id=attachment_id)
        reply = await self._transport.download(path, write)
        refuse_problems(reply)


class GovernedApi:
    """All calls of the governed API, grouped by what they are about."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        caller = Caller(transport)
        self.workspace = WorkspaceCalls(caller)
        self.inbox = InboxCalls(caller)
        self.commands = CommandCalls(caller)
        self.files = FileCalls(caller, transport)
        self.archive = ArchiveCalls(caller)
        self.supervision = SupervisionCalls(caller)
        self.search = SearchCalls(caller)
        self.imports = ImportCalls(caller)
        self.triage = TriageCalls(caller)
        self.changes = ChangeCalls(caller)


def _paging(cursor: str, limit: int) -> dict[str, str]:
    asked = {"limit": str(limit)}
    return asked | {"cursor": cursor} if cursor else asked
