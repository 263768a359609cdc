"""HTTP operations with which a tour or a test plays the clients of the sample workspace.

It never exists beside real channels: the runtime mounts it in the sample workspace only.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from backend.api.guard import guarded
from backend.api.operation import Call, Operation
from backend.channels.contract import Account
from backend.channels.events import ConsentChange, Sender
from backend.channels.sandbox.faults import Fault
from backend.channels.sandbox.peer import Utterance
from backend.channels.sandbox.service import Sandbox
from backend.channels.sandbox.supervisor import decide_as_supervisor
from backend.directory.addresses import ClientAddress, governed_addresses
from backend.refusals import Refused, not_found
from backend.services import Services
from contract.ids import AccountId
from contract.problems import ProblemCode
from contract.wire import Channel, ConsentKind, ConsentStatus

PREFIX = "/v1/sandbox"
Resume = Callable[[AccountId], Awaitable[bool]]


class ClientFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file a client sends, its bytes in base64."""

    name: str
    media_type: str
    base64: str


class ClientSays(msgspec.Struct, frozen=True, kw_only=True):
    """What a known client writes; without a channel it is the one used last."""

    text: str
    channel: Channel | None = None
    quote_external_id: str = ""
    files: tuple[ClientFile, ...] = ()
    sender_name: str = ""


class StrangerSays(msgspec.Struct, frozen=True, kw_only=True):
    """What anyone writes to an account; with `consents` the recording notice is accepted, too."""

    account_id: str
    address: str
    name: str
    text: str
    id_type: str = "phone"
    consents: bool = False


class RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Any event of an account, put into the vendor's queue as it stands."""

    account_id: str
    event: msgspec.Raw


def sandbox_routes(sandbox: Sandbox, services: Services, resume: Resume) -> Sequence[Route]:
    """Return the routes; each asks for the same bearer token as the governed API."""
    face = _Face(sandbox, resume)
    operations = (
        ("GET", "/inbox", face.inbox),
        ("POST", "/clients/{contact_id}/messages", face.client_says),
        ("POST", "/messages", face.stranger_says),
        ("POST", "/events", face.event),
        ("POST", "/faults", face.fault),
        ("POST", "/accounts/{account_id}/resume", face.resume),
        ("POST", "/approvals/{approval_id}", decide_as_supervisor),
    )
    return [
        Route(
            PREFIX + path,
            guarded(
                Operation(
                    method=method,
                    path=PREFIX + path,
                    name=f"sandbox_{handler.__name__}",
                    summary="Sample workspace only.",
                    handler=handler,
                    answers={},
                ),
                services,
            ),
            methods=[method],
        )
        for method, path, handler in operations
    ]


class _Face:
    """The handlers, one per operation."""

    def __init__(self, sandbox: Sandbox, resume: Resume) -> None:
        self._sandbox = sandbox
        self._resume = resume

    async def inbox(self, call: Call) -> Response:
        """Answer what the clients' phones hold after a position, oldest first."""
        after = call.whole_number("after", 0, 0, 2**53)
        limit = call.whole_number("limit", 5000, 1, 10_000)
        lines = await self._sandbox.peer.phones(after, limit)
        return _json({"lines": lines, "last": lines[-1]["seq"] if lines else after})

    async def client_says(self, call: Call) -> Response:
        """Let a known client write on one of their governed channels."""
        said, contact_id = call.command(ClientSays), call.path("contact_id")
        addresses = await call.services.database.read(
            lambda c: governed_addresses(c, contact_id=contact_id, channel=said.channel)
        )
        if not addresses:
            raise not_found("client on a governed channel")
        account = self._account(addresses[0].account_id)
        external_id = await self._sandbox.peer.say(account, _utterance(addresses[0], said))
        return _json({"external_id": external_id, "account_id": account.account_id}, 201)

    async def stranger_says(self, call: Call) -> Response:
        """Let anyone write to an account: an unknown address becomes a new client."""
        said = call.command(StrangerSays)
        account = self._account(said.account_id)
        utterance = Utterance(
            address=said.address, id_type=said.id_type, name=said.name, text=said.text
        )
        external_id = await self._sandbox.peer.say(account, utterance)
        if said.consents:
            consent = ConsentChange(
                dedupe_key=f"{external_id}:consent",
                at_utc_ms=call.services.now_utc_ms(),
                sender=Sender(id_type=said.id_type, address=said.address, name=said.name),
                consent=ConsentKind.RECORDING,
                status=ConsentStatus.ACCEPTED,
            )
            await self._sandbox.peer.do(account, msgspec.json.encode(consent))
        return _json({"external_id": external_id, "account_id": account.account_id}, 201)

    async def event(self, call: Call) -> Response:
        """Put any event into an account's queue: edits, reactions, what nobody knows."""
        given = call.command(RawEvent)
        await self._sandbox.peer.do(self._account(given.account_id), bytes(given.event))
        return _json({}, 201)

    async def fault(self, call: Call) -> Response:
        """Have the vendor play a fault on the next sends it fits."""
        await self._sandbox.peer.ask_fault(call.command(Fault))
        return _json({}, 201)

    async def resume(self, call: Call) -> Response:
        """Send again from a paused account."""
        account = self._account(call.path("account_id"))
        return _json({"resumed": await self._resume(account.account_id)})

    def _account(self, account_id: str) -> Account:
        try:
            return self._sandbox.account(AccountId(account_id))
        except KeyError:
            raise not_found("sandbox account") from None


def _utterance(address: ClientAddress, said: ClientSays) -> Utterance:
    try:
        files = tuple(
            (item.name, item.media_type, base64.b64decode(item.base64, validate=True))
            for item in said.files
        )
    except binascii.Error:
        raise Refused(ProblemCode.BAD_REQUEST, "A file's bytes must be base64.") from None
    return Utterance(
        address=address.address,
        id_type=address.id_type,
        name=said.sender_name or address.name,
        text=said.text,
        chat=address.address if address.id_type == "chat" else "",
        quote_external_id=said.quote_external_id,
        files=files,
    )


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
