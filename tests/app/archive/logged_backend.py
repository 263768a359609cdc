"""Serves the small world with a real transparency log behind it, honest or not as tests ask.

It never decides policy or delivers: for that, tests start the real backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract import api, wire
from contract.events import MessageUpserted, Sealed
from contract.ids import ConversationId, MessageId, idempotency_key
from contract.problems import ProblemCode
from contract.receipts.bodies import submission_body, submission_envelope
from contract.receipts.encoding import encode_base64
from contract.receipts.errors import ProofError
from contract.receipts.keys import KeyType
from contract.receipts.leaf import leaf_bytes, leaf_hash
from contract.receipts.signers import Signer
from contract.receipts.statements import Statement, sign_statement
from contract.receipts.trees import MemoryTree
from contract.states import DeliveryState
from tests.app.small_backend import T0, Fault, SmallBackend, problem
from tests.support.sealed_log import SealedLog, signer

DECISION_HASH = "d1" * 32
RECOVERY = signer("recovery.example")


def witness(number: int = 1) -> Signer:
    """Return a witness's key."""
    return signer(f"witness{number}.example", KeyType.COSIGNATURE_V1)


def new_log(*entries: bytes, name: str = "archive.example/log") -> SealedLog:
    """Return a log of one witness that holds these entries, three unless given."""
    return SealedLog(entries or (b"one", b"two", b"three"), [witness()], name)


@dataclass
class Kept:
    """One submission in the log."""

    message: wire.Message
    leaf: bytes
    sealed: bool
    salt: str
    body: bytes


class LoggedBackend(SmallBackend):
    """`rewrite` changes receipts on their way; `late` seals nothing before `seal` is called.

    While `refusing` each text is archived as refused by policy.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log = new_log()
        self.late = False
        self.silent = False
        self.refusing = False
        self.fault_of_receipts: Fault | None = None
        self.statements: list[bytes] = []
        self.withholds_statements = False
        self.alerts: list[tuple[str, wire.ArchiveAlert]] = []
        self.kept: dict[str, Kept] = {}
        self.rewrite: Callable[[bytes], bytes] = lambda receipt: receipt
        self.take_keys()

    def take_keys(self, workspace: str = "sample") -> None:
        """Tell the log's keys in the capabilities, as of now."""
        keys = wire.ArchiveKeys(
            origin=self.log.key.name,
            log_key=str(self.log.key),
            witness_keys=tuple(map(str, self.log.witness_keys)),
            quorum=len(self.log.witness_keys),
        )
        self.capabilities = msgspec.structs.replace(
            self.capabilities, archive=keys, workspace=workspace
        )

    def managed(self) -> dict[str, object]:
        """Return the settings by which IT pins this log, with the recovery key."""
        return {
            "LogVerifierKey": str(self.log.key),
            "WitnessVerifierKeys": [str(key) for key in self.log.witness_keys],
            "RecoveryVerifierKeys": [str(RECOVERY.verifier_key)],
        }

    def state(self, statement: Statement, *signers: Signer) -> None:
        """Publish a statement signed by these, by the recovery key unless given."""
        self.statements.append(sign_statement(statement, signers or (RECOVERY,)))

    def seal(self) -> None:
        """Let the witnesses cosign all that waits, and tell it in the stream."""
        self.late = False
        for kept in tuple(self.kept.values()):
            if not kept.sealed:
                kept.sealed = True
                self.tell_seal(kept)

    def tell_seal(self, kept: Kept) -> None:
        """Put a seal and the message with it into the stream."""
        message = self.with_archive(kept)
        assert message.archive is not None
        self.emit(
            Sealed(
                message_id=message.message_id,
                conversation_id=message.conversation_id,
                archive=message.archive,
                receipt=self._receipt(kept).decode(),
                decision_hash=DECISION_HASH,
            ),
            MessageUpserted(message=message),
        )

    def append(self, leaf: bytes) -> None:
        """Log one more entry."""
        self.log.entries.append(leaf)
        self.log.tree.extend([leaf_hash(leaf)])

    def roll_back(self, size: int) -> None:
        """Put the log of `size` entries in place, as a copied backup would."""
        entries = self.log.entries[:size]
        self.log.entries, self.log.tree = entries, MemoryTree(list(map(leaf_hash, entries)))

    def fork(self, entries: int) -> None:
        """Put another history of that many entries in place."""
        other = [b"other %d" % number for number in range(entries)]
        self.log.entries, self.log.tree = other, MemoryTree(list(map(leaf_hash, other)))

    async def _submit(self, request: Request) -> Response:
        key = request.headers[api.IDEMPOTENCY_KEY]
        self.tries[key] += 1
        body = await request.body()
        if spoilt := self._spoilt(request):
            return spoilt
        sent = msgspec.json.decode(body, type=wire.SubmitMessage)
        kept = self.kept.get(key)
        if kept is None:
            kept = self._keep(key, sent, ConversationId(request.path_params["conversation_id"]))
            self.submitted.append(sent)  # last: a test that sees it may seal it
        message = self.with_archive(kept) if kept.sealed else kept.message
        if self.refusing:
            return problem(ProblemCode.POLICY_DENIED, message=message)
        answer = wire.Submitted(
            message=message,
            receipt=self._receipt(kept).decode() if kept.sealed else "",
            decision_hash=DECISION_HASH,
        )
        status = 201 if kept.sealed else 202
        return Response(msgspec.json.encode(answer), status, media_type="application/json")

    def _keep(self, key: str, sent: wire.SubmitMessage, home: ConversationId) -> Kept:
        leaf = leaf_bytes(
            submission_envelope(
                sent,
                home,
                firm_id=self.me.firm_id,
                employee_id=self.me.employee_id,
                decision_hash=DECISION_HASH,
            )
        )
        self.append(leaf)
        message = msgspec.structs.replace(self._archived(sent, home), archive=None)
        if self.refusing:
            message = msgspec.structs.replace(message, state=DeliveryState.BLOCKED)
        kept = self.kept[key] = Kept(
            message, leaf, not self.late, sent.salt, submission_body(sent, ())
        )
        return kept

    def with_archive(self, kept: Kept) -> wire.Message:
        """Return a submission's message as it stands once it is sealed."""
        index = self.log.entries.index(kept.leaf) if kept.leaf in self.log.entries else 0
        key = idempotency_key(kept.message.message_id, kept.message.revision)
        archive = wire.ArchiveRef(
            index=index,
            entry_id=key,
            entry_hash=leaf_hash(kept.leaf).hex(),
            archived_at_utc_ms=T0,
        )
        return msgspec.structs.replace(kept.message, version=2, archive=archive)

    def _receipt(self, kept: Kept) -> bytes:
        index = self.log.entries.index(kept.leaf) if kept.leaf in self.log.entries else 0
        return self.rewrite(self.log.receipt(index))

    def _routes(self) -> list[Route]:
        return [
            Route(api.MESSAGE_RECEIPT, self._receipt_document),
            Route(api.ARCHIVE_CHECKPOINT, self._checkpoint),
            Route(api.ARCHIVE_CONSISTENCY, self._consistency),
            Route(api.ARCHIVE_ALERTS, self._alert, methods=["POST"]),
            Route(api.ARCHIVE_STATEMENTS, self._statements),
            *super()._routes(),
        ]

    async def _receipt_document(self, request: Request) -> Response:
        if self.fault_of_receipts is not None:
            spoilt = await asyncio.to_thread(self.fault_of_receipts, request)
            if spoilt is not None:
                return spoilt
        wanted = MessageId(request.path_params["message_id"])
        kept = self.kept.get(idempotency_key(wanted, int(request.query_params["revision"])))
        if kept is None or not kept.sealed or self.silent:
            return problem(ProblemCode.NOT_FOUND)
        return _json(
            wire.ReceiptDocument(
                receipt=self._receipt(kept).decode(),
                leaf=encode_base64(kept.leaf),
                decision_hash=DECISION_HASH,
                archived_at_utc_ms=T0,
                versions=1,
                witnesses_confirmed=1,
                witnesses_total=1,
                salt=kept.salt,
                body=encode_base64(kept.body),
            )
        )

    async def _checkpoint(self, request: Request) -> Response:
        return self._spoilt(request) or Response(self.log.note(), media_type="text/plain")

    async def _consistency(self, request: Request) -> Response:
        if spoilt := self._spoilt(request):
            return spoilt
        sizes = [int(request.query_params[name]) for name in ("from_size", "to_size")]
        try:
            hashes = self.log.tree.consistency(*sizes)
        except (ProofError, IndexError):
            return problem(ProblemCode.NOT_FOUND)
        if self.silent:
            return problem(ProblemCode.NOT_FOUND)
        return _json(
            wire.ConsistencyProof(
                from_size=sizes[0], to_size=sizes[1], hashes=tuple(map(encode_base64, hashes))
            )
        )

    async def _alert(self, request: Request) -> Response:
        if spoilt := self._spoilt(request):
            return spoilt
        alert = msgspec.json.decode(await request.body(), type=wire.ArchiveAlert)
        self.alerts.append((request.headers[api.IDEMPOTENCY_KEY], alert))
        return _json(wire.Done(seq=0))

    async def _statements(self, request: Request) -> Response:
        shown = () if self.withholds_statements else tuple(self.statements)
        notes = tuple(note.decode() for note in shown)
        return _json(wire.ArchiveStatements(statements=notes))


def _json(value: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
