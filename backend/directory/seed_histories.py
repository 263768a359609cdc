"""The sample's conversations and messages, written in the order in which they happened.

It never writes a message past the code that archives real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, update

from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.directory.sample import (
    SampleContact,
    SampleConversation,
    SampleLine,
    SampleWorkspace,
    absolute_utc_ms,
)
from backend.inbox.conversations import add_member, ensure_direct_conversation, mark_read
from backend.inbox.history import record_history
from backend.inbox.inbound import StoredFile, record_edit, record_reaction
from backend.storage.tables import conversations
from contract.ids import ContactPointId, ConversationId, EmployeeId, MessageId
from contract.states import DeliveryState
from contract.wire import Direction, MessageKind, Mode, Origin

_KEPT_MS = 7 * 366 * 86_400_000
_EDITED_AFTER_MS = 60_000


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One message with its conversation and its absolute time."""

    conversation: SampleConversation
    n: int
    line: SampleLine
    at_utc_ms: int
    files: tuple[StoredFile, ...]

    @property
    def external_id(self) -> str:
        """Return what the channel would call the message."""
        return f"sample:{self.conversation.id}:{self.n}"


class Planner:
    """Collects all conversations' lines and sorts them by time."""

    def __init__(self, workspace: SampleWorkspace, now_utc_ms: int) -> None:
        self._zone = workspace.zone
        self._now_utc_ms = now_utc_ms
        self._lines: list[PlannedLine] = []

    def add(
        self,
        conversation: SampleConversation,
        lines: Sequence[SampleLine],
        keep_file: Callable[[str], StoredFile],
    ) -> None:
        """Add one history; a line never comes before the one above it."""
        at_utc_ms = 0
        for n, line in enumerate(lines):
            at_utc_ms = max(at_utc_ms + 1, absolute_utc_ms(line.at, self._now_utc_ms, self._zone))
            self._lines.append(
                PlannedLine(
                    conversation=conversation,
                    n=n,
                    line=line,
                    at_utc_ms=min(at_utc_ms, self._now_utc_ms),
                    files=(keep_file(line.file),) if line.file else (),
                )
            )

    def in_order(self) -> tuple[PlannedLine, ...]:
        """Return every line, the oldest first."""
        return tuple(sorted(self._lines, key=lambda item: item.at_utc_ms))


def write_history(
    connection: Connection,
    workspace: SampleWorkspace,
    planned: Sequence[PlannedLine],
    now_utc_ms: int,
) -> None:
    """Make the conversations and archive and write their messages."""
    writer = _Writer(connection, workspace, now_utc_ms)
    for conversation in workspace.conversations:
        first = min(item.at_utc_ms for item in planned if item.conversation is conversation)
        writer.open(conversation, first)
    for item in planned:
        writer.write(item)
    for conversation in workspace.conversations:
        writer.settle(conversation, [i for i in planned if i.conversation is conversation])


class _Writer:
    """The state of one seeding: what the sample's names became in the database."""

    def __init__(self, connection: Connection, workspace: SampleWorkspace, now_utc_ms: int) -> None:
        self._connection = connection
        self._workspace = workspace
        self._now_utc_ms = now_utc_ms
        self._accounts = {account.id: account for account in workspace.accounts}
        self._people = {person.id: person for person in workspace.employees}
        self._contacts = {
            point.id: contact for contact in workspace.contacts for point in contact.points
        }
        self._ids: dict[str, ConversationId] = {}
        self._quotable: dict[tuple[str, str], MessageId] = {}

    def open(self, conversation: SampleConversation, at_utc_ms: int) -> None:
        """Make a conversation with its members."""
        point_id = conversation.points[0]
        contact = self._contacts[point_id]
        conversation_id = ensure_direct_conversation(
            self._connection,
            account_id=conversation.account,
            contact_id=contact.id,
            contact_point_id=ContactPointId(point_id),
            now_utc_ms=at_utc_ms,
        )
        self._ids[conversation.id] = conversation_id
        self._change(
            conversation,
            is_group=conversation.group,
            tags=msgspec.json.encode(conversation.tags).decode(),
            kept_until_utc_ms=self._now_utc_ms + _KEPT_MS,
        )
        if self._accounts[conversation.account].mode is Mode.GOVERNED:
            for employee_id in contact.shared_with:
                add_member(self._connection, conversation_id, employee_id, at_utc_ms)

    def write(self, item: PlannedLine) -> None:
        """Archive and write one message with its reaction and edit."""
        conversation, line = item.conversation, item.line
        native = self._accounts[conversation.account].mode is Mode.NATIVE
        contact = self._contacts[conversation.points[0]]
        direction, author_id, author_name = self._author(contact, line.by)
        message_id = record_history(
            self._connection,
            conversation_id=self._ids[conversation.id],
            direction=direction,
            author_id=author_id,
            author_name=author_name,
            text=line.text,
            at_utc_ms=item.at_utc_ms,
            now_utc_ms=self._now_utc_ms if native else item.at_utc_ms,
            external_id=item.external_id,
            origin=Origin.IMPORTED if native else Origin.LIVE,
            kind=MessageKind.SYSTEM if direction is Direction.SYSTEM else MessageKind.TEXT,
            state=self._last_state(conversation, native) if direction is Direction.OUT else None,
            quote_message_id=self._quotable.get((conversation.id, line.quote)),
            attachments=item.files,
        )
        if line.ref:
            self._quotable[conversation.id, line.ref] = message_id
        if line.react:
            actor = contact.id if direction is Direction.OUT else self._workspace.signed_in
            self._react(item, actor)
        if line.edited:
            self._edit(item)

    def settle(self, conversation: SampleConversation, lines: Sequence[PlannedLine]) -> None:
        """Set read marks, and the figures the sample states by itself."""
        changes: dict[str, object] = {}
        if conversation.awaiting is not None:
            changes["awaiting"] = conversation.awaiting
        if conversation.window_closes_in_min is not None:
            changes["window_closes_at_utc_ms"] = (
                self._now_utc_ms + conversation.window_closes_in_min * 60_000
            )
            changes["window_messages_left"] = conversation.window_messages_left
        if changes:
            self._change(conversation, **changes)
        inbound = [item.at_utc_ms for item in lines if self._is_inbound(item)]
        upto = self._now_utc_ms
        if conversation.unread:
            upto = inbound[-conversation.unread] - 1
        members = [self._workspace.signed_in]
        if self._accounts[conversation.account].mode is Mode.GOVERNED:
            members += self._contacts[conversation.points[0]].shared_with
        for employee_id in members:
            mark_read(
                self._connection,
                self._ids[conversation.id],
                EmployeeId(employee_id),
                upto if employee_id == self._workspace.signed_in else self._now_utc_ms,
                self._now_utc_ms,
            )

    def _author(self, contact: SampleContact, by: str) -> tuple[Direction, str, str]:
        if by == "client":
            return Direction.IN, contact.id, contact.name
        if by == "system":
            return Direction.SYSTEM, "system", ""
        person = self._people.get(self._workspace.signed_in if by == "me" else by)
        if person is not None:
            return Direction.OUT, person.id, person.name
        return Direction.IN, contact.id, by

    def _is_inbound(self, item: PlannedLine) -> bool:
        contact = self._contacts[item.conversation.points[0]]
        return self._author(contact, item.line.by)[0] is Direction.IN

    def _last_state(self, conversation: SampleConversation, native: bool) -> DeliveryState:
        able = CHANNEL_CAPABILITIES[self._accounts[conversation.account].channel]
        if not native and able.receipt_read:
            return DeliveryState.READ
        if not native and able.receipt_delivered:
            return DeliveryState.DELIVERED
        return DeliveryState.SENT

    def _react(self, item: PlannedLine, actor_id: str) -> None:
        record_reaction(
            self._connection,
            account_id=item.conversation.account,
            external_message_id=item.external_id,
            actor_id=actor_id,
            emoji=item.line.react,
            occurred_at_utc_ms=item.at_utc_ms,
            received_at_utc_ms=item.at_utc_ms,
        )

    def _edit(self, item: PlannedLine) -> None:
        at_utc_ms = min(item.at_utc_ms + _EDITED_AFTER_MS, self._now_utc_ms)
        record_edit(
            self._connection,
            account_id=item.conversation.account,
            external_message_id=item.external_id,
            text=item.line.edited,
            occurred_at_utc_ms=at_utc_ms,
            received_at_utc_ms=at_utc_ms,
        )

    def _change(self, conversation: SampleConversation, **changes: object) -> None:
        self._connection.execute(
            update(conversations)
            .where(conversations.c.conversation_id == self._ids[conversation.id])
            .values(**changes)
        )
