"""Owns the list of the API's operations, from which routes and OpenAPI are both made.

It never carries one out.
"""

from __future__ import annotations

from backend.api import archive, commands, files, reading, searching
from backend.api.changing import CHANGES
from backend.api.imports import IMPORTS
from backend.api.operation import Answer, JsonValue, Operation, Parameter
from backend.api.paging import PAGING, limit_parameter
from backend.api.supervision_operations import SUPERVISION
from backend.api.sync_operations import STREAM
from backend.api.triage import TRIAGE
from contract import api, search, wire
from contract.problems import ProblemCode

_BEFORE = Parameter(
    "before_utc_ms",
    "query",
    {"type": "integer", "minimum": 0, "maximum": 2**52},
    "Only messages placed before this time.",
)
_OFFSET = Parameter(
    api.UPLOAD_OFFSET,
    "header",
    {"type": "string", "pattern": "^[0-9]{1,18}$"},
    "The first byte's place in the file.",
    required=True,
)
_RANGE = Parameter("Range", "header", {"type": "string"}, "A single byte range (RFC 9110).")
_IF_NONE_MATCH = Parameter("If-None-Match", "header", {"type": "string"}, "The ETag held.")

_CODE = ProblemCode

ABOUT_BACKEND = (
    Operation(
        method="GET",
        path=api.HEALTH,
        name="health",
        summary="Whether the backend is well",
        handler=reading.health,
        answers={200: Answer("The state of the backend", wire.Health)},
        public=True,
    ),
    Operation(
        method="GET",
        path=api.CAPABILITIES,
        name="capabilities",
        summary="What this backend is and asks of its clients",
        handler=reading.capabilities,
        answers={200: Answer("The capabilities", wire.CapabilitiesDocument)},
        public=True,
        any_version=True,  # which version is needed stands here
    ),
    Operation(
        method="GET",
        path=api.ME,
        name="me",
        summary="The signed-in person",
        handler=reading.me,
        answers={200: Answer("The person", wire.Me)},
    ),
    Operation(
        method="GET",
        path=api.POLICY_BUNDLE,
        name="policy_bundle",
        summary="The policy bundle's published files, as contract.policy.manifest packs them",
        handler=reading.policy_bundle,
        answers={
            200: Answer("The packed bundle", headers={"ETag": "The bundle's identity"}),
            304: Answer("The client has this bundle", media_type=""),
        },
        parameters=(_IF_NONE_MATCH,),
    ),
    Operation(
        method="POST",
        path=api.ARCHIVE_PROBE,
        name="archive_probe",
        summary="Archive a synthetic entry and read it back",
        handler=commands.archive_probe,
        answers={200: Answer("Where the entry stands", wire.ArchiveProbe)},
        command=True,
        needs_writer=False,
    ),
)
INBOX = (
    Operation(
        method="GET",
        path=api.CONVERSATIONS,
        name="conversations",
        summary="Conversations, newest activity first",
        handler=reading.conversations,
        answers={200: Answer("One page", wire.ConversationPage)},
        parameters=PAGING,
    ),
    Operation(
        method="GET",
        path=api.CONVERSATION,
        name="conversation",
        summary="One conversation",
        handler=reading.conversation,
        answers={200: Answer("The conversation", wire.Conversation)},
    ),
    Operation(
        method="GET",
        path=api.CONVERSATION_MESSAGES,
        name="conversation_messages",
        summary="A conversation's messages, newest first",
        handler=reading.conversation_messages,
        answers={200: Answer("One page", wire.MessagePage)},
        parameters=(*PAGING, _BEFORE),
    ),
    Operation(
        method="POST",
        path=api.CONVERSATION_MESSAGES,
        name="submit_message",
        summary="Submit a message; its Idempotency-Key is message_id.revision",
        handler=commands.submit_message,
        answers={
            201: Answer("Archived", wire.Submitted),
            202: Answer("Committed, awaiting the archive's seal", wire.Submitted),
        },
        body=wire.SubmitMessage,
        command=True,
        problems=(
            _CODE.POLICY_DENIED,
            _CODE.READ_ONLY,
            _CODE.CONFLICT,
            _CODE.ATTACHMENT_INCOMPLETE,
        ),
    ),
    Operation(
        method="POST",
        path=api.CONVERSATION_READ,
        name="mark_read",
        summary="Mark everything placed at or before a time as read",
        handler=commands.mark_read,
        answers={200: Answer("Done", wire.Done)},
        body=wire.MarkRead,
        command=True,
    ),
    Operation(
        method="POST",
        path=api.CONVERSATION_TYPING,
        name="typing",
        summary="Tell that the employee types or has stopped; not stored",
        handler=commands.typing,
        answers={200: Answer("Done", wire.Done)},
        body=wire.TypingNotice,
        command=True,
    ),
    Operation(
        method="GET",
        path=api.MESSAGE,
        name="message",
        summary="One message",
        handler=reading.message,
        answers={200: Answer("The message", wire.Message)},
    ),
    Operation(
        method="GET",
        path=api.MESSAGE_SURROUNDINGS,
        name="message_surroundings",
        summary="A message with those before and after it in its conversation, newest first",
        handler=searching.message_surroundings,
        answers={200: Answer("The messages", wire.MessagePage)},
        parameters=(limit_parameter(250, "Messages on each side."),),
    ),
    Operation(
        method="POST",
        path=api.SEARCH,
        name="search_messages",
        summary="Messages that hold words and fit filters, newest first; changes nothing",
        handler=searching.search_messages,
        answers={200: Answer("One page", search.SearchPage)},
        body=search.SearchMessages,
        problems=(_CODE.RATE_LIMITED,),
    ),
    Operation(
        method="POST",
        path=api.MESSAGE_RESOLVE,
        name="resolve",
        summary="Say what shall become of a message whose delivery is unknown",
        handler=commands.resolve,
        answers={200: Answer("The message afterwards", wire.Message)},
        body=wire.ResolveUnknown,
        command=True,
        problems=(_CODE.CONFLICT,),
    ),
    Operation(
        method="GET",
        path=api.CONTACTS,
        name="contacts",
        summary="The employee's book, by name",
        handler=reading.contacts,
        answers={200: Answer("One page", wire.ContactPage)},
        parameters=PAGING,
    ),
    Operation(
        method="GET",
        path=api.CONTACT,
        name="contact",
        summary="One contact",
        handler=reading.contact,
        answers={200: Answer("The contact", wire.Contact)},
    ),
)
FILES = (
    Operation(
        method="POST",
        path=api.ATTACHMENTS,
        name="create_attachment",
        summary="Announce an upload",
        handler=commands.create_attachment,
        answers={201: Answer("How far the upload came", wire.UploadState)},
        body=wire.CreateAttachment,
        command=True,
    ),
    Operation(
        method="GET",
        path=api.ATTACHMENT,
        name="download",
        summary="A file's bytes, or a range of them",
        handler=files.download,
        answers={
            200: Answer("The file", media_type="*/*", headers={"ETag": "The file's SHA-256"}),
            206: Answer("The range", media_type="*/*", headers={"Content-Range": "Its place"}),
        },
        parameters=(_RANGE,),
        problems=(_CODE.ATTACHMENT_INCOMPLETE,),
    ),
    Operation(
        method="GET",
        path=api.ATTACHMENT_UPLOAD,
        name="read_upload",
        summary="How far an upload came",
        handler=files.read_upload,
        answers={200: Answer("How far the upload came", wire.UploadState)},
    ),
    *(
        Operation(
            method=method,
            path=api.ATTACHMENT_UPLOAD,
            name=name,
            summary="Send bytes from Upload-Offset on; many pieces or one",
            handler=files.upload,
            answers={200: Answer("How far the upload came", wire.UploadState)},
            parameters=(_OFFSET,),
            problems=(_CODE.CONFLICT, _CODE.TOO_LARGE, _CODE.ATTACHMENT_MISMATCH),
            raw_body=True,
        )
        for method, name in (("PATCH", "upload"), ("PUT", "upload_by_put"))
    ),
)
_SIZE: dict[str, JsonValue] = {"type": "integer", "minimum": 1, "maximum": archive.MAX_SIZE}
ARCHIVE = (
    Operation(
        method="GET",
        path=api.ARCHIVE_CHECKPOINT,
        name="archive_checkpoint",
        summary="The newest checkpoint cosigned by the quorum of witnesses (a signed note)",
        handler=archive.checkpoint,
        answers={200: Answer("The signed note", media_type="text/plain")},
    ),
    Operation(
        method="GET",
        path=api.ARCHIVE_CONSISTENCY,
        name="archive_consistency",
        summary="The proof that the log of one size begins with that of another (RFC 9162)",
        handler=archive.consistency,
        answers={200: Answer("The proof", wire.ConsistencyProof)},
        parameters=(
            Parameter("from_size", "query", _SIZE, "The older size.", required=True),
            Parameter("to_size", "query", _SIZE, "The newer size.", required=True),
        ),
    ),
    Operation(
        method="GET",
        path=api.MESSAGE_RECEIPT,
        name="message_receipt",
        summary="All that proves one archived version of a message",
        handler=archive.message_receipt,
        answers={200: Answer("The receipt", wire.ReceiptDocument)},
        parameters=(
            Parameter(
                "revision",
                "query",
                {"type": "integer", "minimum": 0, "maximum": 1_000_000},
                "The version's revision; the newest by default.",
            ),
        ),
        problems=(_CODE.CONFLICT,),
    ),
    Operation(
        method="POST",
        path=api.ARCHIVE_ALERTS,
        name="archive_alert",
        summary="A client's alarm about the archive, to Compliance; archived",
        handler=archive.alert,
        answers={200: Answer("Archived", wire.Done)},
        body=wire.ArchiveAlert,
        command=True,
        needs_writer=False,
    ),
    Operation(
        method="GET",
        path=api.ARCHIVE_STATEMENTS,
        name="archive_statements",
        summary="Signed statements about the log: rotations, restores, moves",
        handler=archive.statements,
        answers={200: Answer("The statements", wire.ArchiveStatements)},
    ),
    Operation(
        method="GET",
        path=api.ARCHIVE_TILE,
        name="archive_tile",
        summary="A tile or entry bundle of the sealed log (C2SP tlog-tiles), for supervision",
        handler=archive.tile,
        answers={200: Answer("The tile", media_type="application/octet-stream")},
        problems=(_CODE.FORBIDDEN,),
    ),
)
OPERATIONS = (
    ABOUT_BACKEND + STREAM + INBOX + CHANGES + FILES + IMPORTS + ARCHIVE + SUPERVISION + TRIAGE
)


def problems_of(operation: Operation) -> frozenset[ProblemCode]:
    """Return every code a call of the operation may be answered with."""
    codes = {
        _CODE.BAD_REQUEST,
        _CODE.INTERNAL,
        _CODE.UNAVAILABLE,
        _CODE.STORAGE_FULL,
        *operation.problems,
    }
    if not operation.any_version:
        codes.add(_CODE.CLIENT_TOO_OLD)
    if not operation.public:
        codes.add(_CODE.UNAUTHENTICATED)
    if "{" in operation.path or operation.body is not None:
        codes.add(_CODE.NOT_FOUND)
    if operation.command:
        codes |= {
            _CODE.FORBIDDEN,
            _CODE.TOO_LARGE,
            _CODE.IDEMPOTENCY_KEY_MISSING,
            _CODE.IDEMPOTENCY_KEY_REUSED,
        }
    return frozenset(codes)
