"""Owns a witness's judgement: it cosigns a checkpoint only as the growth of the last it signed.

It never sees an entry, and never signs before its memory is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backend.archive.witness_request import AddCheckpoint
from backend.archive.witness_state import Seen, WitnessState
from contract.receipts.checkpoints import Checkpoint, verify_growth
from contract.receipts.cosignatures import open_checkpoint
from contract.receipts.errors import NoteError, ProofError
from contract.receipts.keys import VerifierKey
from contract.receipts.notes import open_note, sign_line
from contract.receipts.signers import Signer
from contract.receipts.statements import Rotation, parse_statement


class AnotherLog(Exception):
    """The witness watches another log, or this log under another key."""


class NotCosigned(Exception):
    """A refusal with its HTTP status (C2SP tlog-witness); `size` is told with a 409."""

    def __init__(self, status: int, reason: str, size: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.size = size


class Witness:
    """One witness of one log; call it from one thread."""

    def __init__(
        self,
        signer: Signer,
        log_key: VerifierKey,
        state: WitnessState,
        *,
        now_s: Callable[[], int],
        rotations: Sequence[bytes] = (),
    ) -> None:
        """`now_s` returns Unix seconds; `rotations` are the notes that led to this log key.

        A rotated key is believed when the key known before has signed for it. Raises AnotherLog
        when the memory is of another log, or of a key that no rotation leads from.
        """
        self._signer = signer
        self._log_key = log_key
        self._state = state
        self._now_s = now_s
        seen = state.seen or Seen(log_key=str(log_key))
        if _rotated(VerifierKey.parse(seen.log_key), rotations) != log_key:
            raise AnotherLog("The witness watches another log, or this one under another key.")
        seen = Seen(log_key=str(log_key), size=seen.size, root=seen.root)
        if seen != state.seen:
            state.keep(seen)
        self._seen = seen

    @property
    def key(self) -> VerifierKey:
        """Return the witness's public key."""
        return self._signer.verifier_key

    @property
    def size(self) -> int:
        """Return the size of the last tree signed."""
        return self._seen.size

    def cosign(self, request: AddCheckpoint) -> bytes:
        """Return the signature line for a checkpoint; raises NotCosigned.

        404 another log, 403 not signed by the log, 400 a shrinking request, 409 another size
        than the last signed or another root at it, 422 a proof that does not hold.
        """
        try:
            opened = open_checkpoint(request.note, self._log_key)
        except NoteError as error:
            raise NotCosigned(403, f"the log has not signed this: {error}") from error
        new, seen = opened.checkpoint, self._seen
        if request.old_size > new.size:
            raise NotCosigned(400, "the checkpoint is smaller than the size it grew from")
        if request.old_size != seen.size:
            raise NotCosigned(409, "the last checkpoint signed has another size", seen.size)
        old = Checkpoint(new.origin, seen.size, bytes.fromhex(seen.root))
        try:
            verify_growth(old, new, list(request.proof))
        except ProofError as error:
            if new.size == seen.size and new.root != old.root:
                raise NotCosigned(409, "another tree of this size was signed", seen.size) from error
            raise NotCosigned(422, f"the proof does not hold: {error}") from error
        if new.size > seen.size:
            grown = Seen(log_key=seen.log_key, size=new.size, root=new.root.hex())
            self._state.keep(grown)
            self._seen = grown
        return sign_line(opened.text, self._signer, self._now_s())


def _rotated(key: VerifierKey, rotations: Sequence[bytes]) -> VerifierKey:
    """Return the key that the rotations signed by `key`, one after the other, lead to."""
    for note in rotations:
        try:
            statement = parse_statement(open_note(note, [key]).text)
        except NoteError:
            continue  # one of before, or of a stranger
        if isinstance(statement, Rotation) and statement.old_key == key:
            if statement.new_key.name == key.name:
                key = statement.new_key
    return key
