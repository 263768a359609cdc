"""Owns the recording of an import's messages: each archived, placed when it happened, once.

It never records a message that is known, and never holds more files than those of one batch.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from backend.directory.native_capture import note_capture
from backend.imports.changing import follow_change
from backend.imports.completing import add_files, lacks_files
from backend.imports.contents import ExportFiles
from backend.imports.placing import Place, author_of
from backend.imports.wording import encodable, text_of
from backend.inbox.conversations import mark_read
from backend.inbox.events import members_of
from backend.inbox.history import record_history
from backend.inbox.inbound import StoredFile
from backend.inbox.messages import find_by_external_id
from backend.inbox.reacting import set_reaction
from backend.inbox.uploads import known_media_type
from contract.ids import AttachmentId, MessageId, uuid7
from contract.imports.model import ImportedChat, ImportedKind, ImportedMessage
from contract.names import file_name, shown_name
from contract.states import DeliveryState
from contract.wire import Direction, Me, MessageKind

BATCH = 50
_BY_APP = frozenset({ImportedKind.SYSTEM, ImportedKind.CALL})
PutFile = Callable[[str, int, bytes], None]


class Counted(NamedTuple):
    """What a batch came to; `upto_utc_ms` is the newest new message's time, 0 without one."""

    new: int
    known: int
    files: int
    upto_utc_ms: int


class Recording:
    """One chat on its way into one conversation."""

    def __init__(
        self,
        me: Me,
        chat: ImportedChat,
        identities: Sequence[str],
        place: Place,
        file_sha256: str,
        files: ExportFiles,
        put_file: PutFile,
    ) -> None:
        """`identities` are by which its messages are known; `put_file` keeps bytes as a blob."""
        self._me = me
        self._chat = chat
        self._place = place
        self._file_sha256 = file_sha256
        self._files = files
        self._put_file = put_file
        self.identities = identities
        self._by_native_id = {
            message.native_id: identity
            for message, identity in zip(chat.messages, self.identities, strict=True)
            if message.native_id
        }

    def with_files(self, connection: Connection, account_id: str, start: int) -> list[int]:
        """Return which messages of a batch name files and are new, or are known without any."""
        return [
            at
            for at in range(start, min(start + BATCH, len(self._chat.messages)))
            if (message := self._chat.messages[at]).files
            and (
                not find_by_external_id(connection, account_id, self.identities[at])
                or lacks_files(connection, account_id, self.identities[at], message, self._files)
            )
        ]

    def fetch(self, wanted: Sequence[int]) -> dict[int, tuple[StoredFile, ...]]:
        """Keep the files of messages as blobs, outside any transaction.

        A crash leaves bytes that nothing names.
        """
        return {at: tuple(self._kept_of(self._chat.messages[at])) for at in wanted}

    def record(
        self,
        connection: Connection,
        account_id: str,
        conversation_id: str,
        start: int,
        files: dict[int, tuple[StoredFile, ...]],
        now_utc_ms: int,
    ) -> Counted:
        """Archive and write one batch in the caller's transaction."""
        for employee_id in members_of(connection, conversation_id):
            mark_read(connection, conversation_id, employee_id, now_utc_ms, now_utc_ms)
        new = known = kept = upto_utc_ms = 0
        for at in range(start, min(start + BATCH, len(self._chat.messages))):
            message, stored = self._chat.messages[at], files.get(at, ())
            this = connection, account_id, self.identities[at], message
            if find_by_external_id(*this[:3]):
                follow_change(*this, now_utc_ms)
                added = add_files(*this, stored, self._provenance(message), now_utc_ms)
                known, kept = known + 1, kept + added * len(stored)
                continue
            self._record_one(connection, account_id, conversation_id, at, stored, now_utc_ms)
            new, kept = new + 1, kept + len(stored)
            upto_utc_ms = max(upto_utc_ms, message.at_utc_ms)
        if new:
            note_capture(connection, account_id, upto_utc_ms, now_utc_ms)
        return Counted(new, known, kept, upto_utc_ms)

    def _record_one(
        self,
        connection: Connection,
        account_id: str,
        conversation_id: str,
        at: int,
        files: Sequence[StoredFile],
        now_utc_ms: int,
    ) -> None:
        message = self._chat.messages[at]
        by_app = message.kind in _BY_APP or (not message.sender and not message.outgoing)
        author = author_of(self._place, self._me, message.sender, message.outgoing)
        direction = Direction.OUT if author.is_me else Direction.IN
        quoted = self._by_native_id.get(message.quoted_native_id)
        message_id = record_history(
            connection,
            conversation_id=conversation_id,
            direction=Direction.SYSTEM if by_app else direction,
            author_id="system" if by_app else author.author_id,
            author_name="" if by_app else shown_name(author.name),
            text=text_of(message, [file.name for file in files]),
            at_utc_ms=message.at_utc_ms,
            now_utc_ms=now_utc_ms,
            external_id=self.identities[at],
            kind=MessageKind.SYSTEM if by_app else MessageKind.TEXT,
            state=DeliveryState.SENT if author.is_me and not by_app else None,
            quote_message_id=find_by_external_id(connection, account_id, quoted, conversation_id)
            if quoted
            else None,
            attachments=files,
            provenance=self._provenance(message),
        )
        self._react(connection, message_id, message, now_utc_ms)

    def _react(
        self,
        connection: Connection,
        message_id: MessageId,
        message: ImportedMessage,
        now_utc_ms: int,
    ) -> None:
        for reaction in message.reactions:
            actor = author_of(self._place, self._me, reaction.sender, outgoing=not reaction.sender)
            set_reaction(
                connection,
                message_id,
                actor.author_id,
                encodable(reaction.emoji)[:64],
                occurred_at_utc_ms=message.at_utc_ms,
                now_utc_ms=now_utc_ms,
            )

    def _provenance(self, message: ImportedMessage) -> dict[str, str]:
        """Return what the archive keeps of how the export told it."""
        told = {
            "edited": "yes" if message.edited else "",
            "file": self._file_sha256,
            "local_time": message.local_stamp,
            "native_id": message.native_id,
            "sender": message.sender,
            "source": self._chat.source.value,
        }
        return {name: encodable(value) for name, value in told.items() if value}

    def _kept_of(self, message: ImportedMessage) -> Iterator[StoredFile]:
        for name in message.files:
            stored = self._kept(name, message.at_utc_ms)
            if stored is not None:
                yield stored

    def _kept(self, name: str, at_utc_ms: int) -> StoredFile | None:
        content = self._files.read(name)
        if content is None:
            return None
        attachment_id = AttachmentId(uuid7(max(0, at_utc_ms), os.urandom(10)))
        self._put_file(attachment_id, 0, content)
        return StoredFile(
            attachment_id=attachment_id,
            name=file_name(name),
            media_type=known_media_type(mimetypes.guess_type(name, strict=True)[0] or ""),
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
