"""Serves the wire of the governed API from values that tests set, with faults on demand.

It never decides, archives or delivers: for that, tests start the real backend.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from contract import api, wire
from contract.events import Event, EventBody, MessageUpserted
from contract.ids import (
    AccountId,
    AttachmentId,
    ContactId,
    ConversationId,
    EmployeeId,
    FirmId,
    MessageId,
)
from contract.problems import PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, Problem, ProblemCode
from contract.states import DeliveryState
from tests.backend_client.stream_app import StreamApp

T0 = 1_790_000_000_000

Fault = Callable[[Request], Response | None]


def conversation(number: int, **changes: object) -> wire.Conversation:
    """Return a conversation of the small world."""
    made = wire.Conversation(
        conversation_id=ConversationId(f"c{number}"),
        version=1,
        channel=wire.Channel.WHATSAPP,
        account_id=AccountId("a1"),
        title=f"Client {number}",
        mode=wire.Mode.GOVERNED,
        contact_ids=(ContactId(f"p{number}"),),
        last_activity_utc_ms=T0 + number,
        unread_count=1,
    )
    return msgspec.structs.replace(made, **changes)


def contact(number: int) -> wire.Contact:
    """Return a contact of the small world."""
    return wire.Contact(
        contact_id=ContactId(f"p{number}"), version=1, display_name=f"Client {number}", initials="C"
    )


def message(number: int, conversation_number: int, version: int = 1) -> wire.Message:
    """Return an inbound message of the small world."""
    return wire.Message(
        message_id=MessageId(f"m{number}"),
        conversation_id=ConversationId(f"c{conversation_number}"),
        version=version,
        revision=1,
        direction=wire.Direction.IN,
        kind=wire.MessageKind.TEXT,
        text=f"message {number}",
        author_id=f"p{conversation_number}",
        author_name=f"Client {conversation_number}",
        place_at_utc_ms=T0 + number,
        place_index=number,
        occurred_at_utc_ms=T0 + number,
    )


class SmallBackend(StreamApp):
    """A world of conversations; submissions are accepted once per key."""

    def __init__(self, conversations: int = 3, messages: int = 9, page: int = 4) -> None:
        super().__init__()
        self.capabilities = wire.CapabilitiesDocument(
            api_version="1.0",
            backend_version="0.1.0",
            min_client_version="0.1.0",
            workspace="sample",
            auth="secret",
            instance_id="i1",
            features=(),
            limits=wire.Limits(
                attachment_max_bytes=1_000_000,
                text_max_chars=16_000,
                page_max=500,
                undo_send_s=0,
                heartbeat_s=1,
            ),
        )
        self.me = wire.Me(
            employee_id=EmployeeId("e1"),
            firm_id=FirmId("f1"),
            display_name="Ada",
            initials="A",
            roles=(wire.Role.EMPLOYEE,),
            time_zone="Europe/Zurich",
            language="en",
        )
        self.bundle = b"bundle 1"
        self.conversations = [conversation(n) for n in range(conversations)]
        self.contacts = [contact(n) for n in range(conversations)]
        self.messages = [message(n, n % conversations) for n in range(messages)]
        self.snapshot_cursors: list[str] = []
        self.submitted: list[wire.SubmitMessage] = []
        self.tries: Counter[str] = Counter()
        self.answers: dict[str, tuple[bytes, bytes]] = {}
        self.read_marks: list[tuple[str, int]] = []
        self.files: dict[str, tuple[wire.CreateAttachment, bytearray]] = {}
        self.fault: Fault | None = None
        self.answer_for: MessageId | None = None
        self._page = page
        self.app.router.routes.extend(self._routes())

    def emit(self, *bodies: EventBody) -> None:
        """Append stored events."""
        for body in bodies:
            seq = 1 + max((seq for seq, _ in self.frames), default=0)
            self.put(Event(seq=seq, at_utc_ms=T0, body=body))

    def texts(self, conversation_id: str = "") -> list[str]:
        """Return what was accepted, in the order of acceptance."""
        return [sent.text for sent in self.submitted]

    def _routes(self) -> list[Route]:
        return [
            Route(api.HEALTH, self._health),
            Route(api.CAPABILITIES, self._capabilities),
            Route(api.ME, self._me),
            Route(api.POLICY_BUNDLE, self._bundle),
            Route(api.SNAPSHOT, self._snapshot),
            Route(api.CONVERSATION_MESSAGES, self._submit, methods=["POST"]),
            Route(api.CONVERSATION_READ, self._read, methods=["POST"]),
            Route(api.ATTACHMENTS, self._announce, methods=["POST"]),
            Route(api.ATTACHMENT_UPLOAD, self._upload, methods=["GET", "PUT"]),
            Route(api.ATTACHMENT, self._download),
        ]

    async def _health(self, request: Request) -> Response:
        return _json(wire.Health(status="ok", backend_version="0.1.0"))

    async def _capabilities(self, request: Request) -> Response:
        return self._spoilt(request) or _json(self.capabilities)

    async def _me(self, request: Request) -> Response:
        return self._spoilt(request) or _json(self.me)

    async def _bundle(self, request: Request) -> Response:
        etag = f'"{hashlib.sha256(self.bundle).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304)
        return Response(self.bundle, headers={"ETag": etag}, media_type="application/json")

    async def _snapshot(self, request: Request) -> Response:
        cursor = request.query_params.get("cursor", "")
        self.snapshot_cursors.append(cursor)
        if spoilt := self._spoilt(request):
            return spoilt
        seq = max((seq for seq, _ in self.frames), default=0)
        at = int(cursor or 0)
        newest_first = self.messages[::-1]
        part = newest_first[at : at + self._page]
        following = at + self._page
        page = wire.SnapshotPage(
            seq=seq,
            next_cursor=str(following) if following < len(newest_first) else "",
            total_messages=len(newest_first),
            total_conversations=len(self.conversations),
            contacts=() if cursor else tuple(self.contacts),
            conversations=() if cursor else tuple(self.conversations),
            messages=tuple(part),
        )
        return _json(page)

    async def _submit(self, request: Request) -> Response:
        key = request.headers[api.IDEMPOTENCY_KEY]
        self.tries[key] += 1
        body = await request.body()
        if spoilt := self._spoilt(request):
            return spoilt
        if key in self.answers:
            known, answer = self.answers[key]
            if known != body:
                return problem(ProblemCode.IDEMPOTENCY_KEY_REUSED)
            return Response(answer, 201, media_type="application/json")
        sent = msgspec.json.decode(body, type=wire.SubmitMessage)
        self.submitted.append(sent)
        made = self._archived(sent, request.path_params["conversation_id"])
        self.answers[key] = (body, msgspec.json.encode(wire.Submitted(message=made)))
        self.emit(MessageUpserted(message=made))
        if self.answer_for is not None:
            other = msgspec.structs.replace(made, message_id=self.answer_for)
            return _json(wire.Submitted(message=other))
        return Response(self.answers[key][1], 201, media_type="application/json")

    def _archived(self, sent: wire.SubmitMessage, conversation_id: str) -> wire.Message:
        number = 1000 + len(self.submitted)
        return wire.Message(
            message_id=sent.message_id,
            conversation_id=ConversationId(conversation_id),
            version=1,
            revision=sent.revision,
            direction=wire.Direction.OUT,
            kind=wire.MessageKind.TEXT,
            text=sent.text,
            author_id=self.me.employee_id,
            author_name=self.me.display_name,
            place_at_utc_ms=T0 + number,
            place_index=number,
            occurred_at_utc_ms=T0 + number,
            state=DeliveryState.ARCHIVED,
            archive=wire.ArchiveRef(
                index=number, entry_id=f"e{number}", entry_hash="00", archived_at_utc_ms=T0 + number
            ),
        )

    async def _read(self, request: Request) -> Response:
        if spoilt := self._spoilt(request):
            return spoilt
        mark = msgspec.json.decode(await request.body(), type=wire.MarkRead)
        self.read_marks.append((request.path_params["conversation_id"], mark.upto_utc_ms))
        return _json(wire.Done(seq=0))

    async def _announce(self, request: Request) -> Response:
        announced = msgspec.json.decode(await request.body(), type=wire.CreateAttachment)
        name = request.headers[api.IDEMPOTENCY_KEY]
        self.files.setdefault(name, (announced, bytearray()))
        return _json(self._state(name))

    async def _upload(self, request: Request) -> Response:
        name = request.path_params["attachment_id"]
        if request.method == "PUT":
            announced, data = self.files[name]
            if int(request.headers[api.UPLOAD_OFFSET]) != len(data):
                return problem(ProblemCode.CONFLICT)
            try:
                data += await request.body()
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            if len(data) == announced.size_bytes and _sha256(data) != announced.sha256:
                data.clear()
                return problem(ProblemCode.ATTACHMENT_MISMATCH)
        return self._spoilt(request) or _json(self._state(name))

    def _state(self, name: str) -> wire.UploadState:
        announced, data = self.files[name]
        return wire.UploadState(
            attachment_id=AttachmentId(name),
            offset_bytes=len(data),
            size_bytes=announced.size_bytes,
            complete=len(data) == announced.size_bytes,
        )

    async def _download(self, request: Request) -> Response:
        name = request.path_params["attachment_id"]
        if name not in self.files:
            return problem(ProblemCode.NOT_FOUND)
        _, data = self.files[name]
        return Response(bytes(data), media_type="application/octet-stream")

    def _spoilt(self, request: Request) -> Response | None:
        return self.fault(request) if self.fault is not None else None


def problem(code: ProblemCode, **more: object) -> Response:
    """Return a problem document."""
    made = Problem(
        type=f"urn:parley:problem:{code}", title="no", status=PROBLEM_STATUS[code], code=code
    )
    made = msgspec.structs.replace(made, **more)
    return Response(
        msgspec.json.encode(made), status_code=made.status, media_type=PROBLEM_MEDIA_TYPE
    )


async def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait until a condition holds; fails with TimeoutError."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


def _sha256(data: bytearray) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(value: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
