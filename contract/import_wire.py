"""The wire of an import: a chat exported from a consumer app, brought in after it was matched.

It never holds a message: both sides read the file with contract.imports, each for itself.
All times are Unix milliseconds in UTC; all sizes are bytes.

The order of an import:

1. The client reads the file with contract.imports, cuts one chat out of a file of several, asks
   who is who, and refuses a chat in which nobody is a client before any byte leaves.
2. `POST /v1/imports/files` (CreateAttachment, up to MOST_FILE_BYTES) announces the original; its
   bytes go to `/v1/attachments/{attachment_id}/upload` like any attachment's, resumable.
3. `POST /v1/imports` (StageImport) answers 202 with an ImportStatus in the phase `reading`. From
   then on nobody but Compliance can read the original.
4. `GET /v1/imports/{import_id}` until the phase is `ready` (the figures are the preview) or
   `refused` (`problem` says why; the original is deleted). Nothing is stored yet.
5. `POST /v1/imports/{import_id}/confirm` (ConfirmImport) has it recorded, also over a restart of
   the backend and without the client: `recording` with `done` of `total`, then `done`. Another
   confirmation changes nothing. `DELETE /v1/imports/{import_id}` before that forgets the file.
6. `GET /v1/imports/{import_id}/original` gives Compliance the file; each reading is archived first.

All but the GETs need an Idempotency-Key. Messages come to the client as events, like all others.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from contract.base import Command, Wire
from contract.ids import AccountId, AttachmentId, ContactId, ConversationId
from contract.imports.day_order import DayOrder
from contract.imports.model import Source

MOST_FILE_BYTES = 4 * 1024**3
MOST_PEOPLE = 1_024
MOST_NOTES = 20
UNIDENTIFIED_ID = "unidentified"  # what the author's id of an unidentified participant begins with

_Name = Annotated[str, msgspec.Meta(max_length=400)]
_Id = Annotated[str, msgspec.Meta(max_length=200)]


class Standing(StrEnum):
    """Whom a name of an export stands for, as the importing employee said."""

    ME = "me"
    CONTACT = "contact"
    NEW_CONTACT = "new_contact"
    UNIDENTIFIED = "unidentified"


class ImportPhase(StrEnum):
    """How far an import is; `refused` and `done` are final."""

    READING = "reading"
    READY = "ready"
    REFUSED = "refused"
    RECORDING = "recording"
    DONE = "done"


class ImportPerson(Command):
    """Whom one name stands for.

    `name` is exactly as the export writes it (ImportedChat.participants). `contact_id` belongs to
    `contact`, `display_name` to `new_contact` (the export's name where it is empty).
    """

    name: _Name
    standing: Standing
    contact_id: ContactId = ContactId("")
    display_name: _Name = ""


class StageImport(Command):
    """What to do with an uploaded file; the backend reads it anew and believes no figure.

    `sha256` is lower-case hex of the whole file. `chat_key` is ImportedChat.key of the chat meant,
    needed only where a file holds several. `account_id` is one of the asker's native accounts on
    the source's channel; empty takes the only one, or makes one for imports. Names left out of
    `people` stay unidentified; at least one must be a client. `time_zone` (IANA) and `day_order`
    say how the phone wrote its times, where the format leaves that open.
    """

    attachment_id: AttachmentId
    sha256: str
    source: Source
    people: Annotated[tuple[ImportPerson, ...], msgspec.Meta(max_length=MOST_PEOPLE)]
    chat_key: _Name = ""
    account_id: Annotated[AccountId, msgspec.Meta(max_length=200)] = AccountId("")
    time_zone: _Id = "UTC"
    day_order: DayOrder | None = None


class ConfirmImport(Command):
    """The employee has seen the preview and wants it recorded.

    `expected_new` is the preview's figure: another one by now is refused with `conflict`, and the
    status tells the newest figures.
    """

    expected_new: int


class ImportStatus(Wire):
    """One import as it stands; in `ready` the figures are the preview, in `done` the report.

    `done` of `total` messages were looked at in the phase. `new` come or came in, `known` were
    here before, `changed` of these were edited or taken back since. `unidentified` counts the
    messages of unidentified participants and `unidentified_people` these. `files` come in with
    messages, `missing_files` the export only names. `notes` are plain sentences on what could not
    be read as meant; `problem` is why it was refused. `conversation_id` is empty until something
    is recorded; `entry_id` is the archive's entry of the file.
    """

    import_id: str
    phase: ImportPhase
    source: Source
    file_name: str
    file_sha256: str
    size_bytes: int
    staged_at_utc_ms: int
    account_id: AccountId = AccountId("")
    title: str = ""
    done: int = 0
    total: int = 0
    new: int = 0
    known: int = 0
    unidentified: int = 0
    unidentified_people: int = 0
    files: int = 0
    missing_files: int = 0
    first_utc_ms: int | None = None
    last_utc_ms: int | None = None
    notes: tuple[str, ...] = ()
    problem: str = ""
    conversation_id: ConversationId = ConversationId("")
    entry_id: str = ""
    by: str = ""
    changed: int = 0


class ImportList(Wire):
    """The asker's own imports, newest first; for Compliance those of the whole firm."""

    imports: tuple[ImportStatus, ...]
