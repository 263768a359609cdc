"""Signed statements about a log: a rotated key, a restore with its lost ranges, a move.

It never believes a statement that no recovery key has signed, and applies none.

A statement is a C2SP signed note whose text begins with `parley.statement/v1`, then holds lines
`name value` in a fixed order; numbers are decimal, roots base64, keys C2SP verifier keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from contract.receipts.encoding import decode_base64, decode_decimal, decode_lines, encode_base64
from contract.receipts.errors import FaultCode, NoteError
from contract.receipts.keys import VerifierKey
from contract.receipts.merkle import HASH_BYTES
from contract.receipts.notes import open_note, sign_note, split_note
from contract.receipts.signers import Signer

MAGIC = "parley.statement/v1"
MAX_LOST_RANGES = 1_000


class Rotation(NamedTuple):
    """From `from_size` entries on the log signs with `new_key`; its tree goes on."""

    origin: str
    at_utc_ms: int
    old_key: VerifierKey
    new_key: VerifierKey
    from_size: int


class Restore(NamedTuple):
    """The log was brought back to `size` entries with `root`; `lost` ranges [from, to) are gone."""

    origin: str
    at_utc_ms: int
    size: int
    root: bytes
    lost: tuple[tuple[int, int], ...]


class Move(NamedTuple):
    """The log `origin` is followed by the log of `new_key`, which held `size` entries then."""

    origin: str
    at_utc_ms: int
    new_key: VerifierKey
    witness_keys: tuple[VerifierKey, ...]
    quorum: int
    size: int
    root: bytes


Statement = Rotation | Restore | Move


def sign_statement(statement: Statement, signers: Sequence[Signer]) -> bytes:
    """Return a statement as a note; a rotation also needs the old log key among the signers."""
    return sign_note(format_statement(statement), signers)


def open_statement(note: bytes, recovery: Sequence[VerifierKey], log_key: VerifierKey) -> Statement:
    """Return what a recovery key has stated of the log that signs with `log_key`.

    Raises NoteError: NOTE_UNSIGNED without a recovery key's signature, for a rotation also
    without the old key's; ORIGIN_WRONG for another log; what open_note raises.
    """
    if any(key.key_type.timestamped for key in recovery):
        raise NoteError(FaultCode.KEY_UNSUITABLE, "a recovery key is not for notes")
    opened = open_note(note, (*recovery, log_key))
    signers = {signature.key for signature in opened.signatures}
    if not signers.intersection(recovery):
        raise NoteError(FaultCode.NOTE_UNSIGNED, "no recovery key has signed this statement")
    statement = parse_statement(opened.text)
    if statement.origin != log_key.name:
        raise NoteError(FaultCode.ORIGIN_WRONG, "the statement is about another log")
    if isinstance(statement, Rotation):
        if statement.old_key != log_key:
            raise NoteError(FaultCode.ORIGIN_WRONG, "the statement rotates another key")
        if log_key not in signers:
            raise NoteError(FaultCode.NOTE_UNSIGNED, "the old key has not signed the rotation")
    return statement


def read_statement(note: bytes) -> Statement:
    """Return what a note states without verifying it; raises NoteError when it is none."""
    return parse_statement(split_note(note).text)


def format_statement(statement: Statement) -> bytes:
    """Return the text of a statement; raises NoteError for a value that has no such text."""
    lines = [MAGIC, f"kind {_KINDS[type(statement)]}", f"origin {statement.origin}"]
    lines.append(f"at {statement.at_utc_ms}")
    if isinstance(statement, Rotation):
        lines += [f"old-key {statement.old_key}", f"new-key {statement.new_key}"]
        lines.append(f"from-size {statement.from_size}")
    elif isinstance(statement, Restore):
        lines += [f"size {statement.size}", f"root {encode_base64(statement.root)}"]
        lines += [f"lost {start} {end}" for start, end in statement.lost]
    else:
        lines.append(f"new-key {statement.new_key}")
        lines += [f"witness-key {key}" for key in statement.witness_keys]
        lines += [f"quorum {statement.quorum}", f"size {statement.size}"]
        lines.append(f"root {encode_base64(statement.root)}")
    text = "".join(f"{line}\n" for line in lines).encode()
    if parse_statement(text) != statement:
        raise _malformed("a value of it does not fit its line")
    return text


def parse_statement(text: bytes) -> Statement:
    """Return the statement in a note's text; raises NoteError unless it is exactly one."""
    try:
        lines = decode_lines(text).split("\n")
        if lines[0] != MAGIC or lines[-1]:
            raise ValueError("it does not begin and end as a statement")
        fields = _Fields(iter(lines[1:-1]))
        statement = _PARSERS[fields.take("kind")](fields)
        fields.end()
    except KeyError as error:
        raise _malformed("its kind is not known") from error
    except ValueError as error:
        raise _malformed(str(error)) from error
    return statement


class _Fields:
    """The lines of a statement, taken in their order; raises ValueError for any other."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._next = next(lines, None)

    def take(self, name: str) -> str:
        """Return the value of the next line, which must have this name."""
        if self._next is None or not self._next.startswith(f"{name} "):
            raise ValueError(f"it lacks its {name}")
        value = self._next.removeprefix(f"{name} ")
        self._next = next(self._lines, None)
        return value

    def take_all(self, name: str) -> Iterator[str]:
        """Yield the values of the next lines as long as they have this name."""
        while self._next is not None and self._next.startswith(f"{name} "):
            yield self.take(name)

    def number(self, name: str) -> int:
        """Return a decimal number."""
        return decode_decimal(self.take(name))

    def root(self) -> bytes:
        """Return a tree's root."""
        root = decode_base64(self.take("root"))
        if len(root) != HASH_BYTES:
            raise ValueError("its root does not hold 32 bytes")
        return root

    def end(self) -> None:
        """Raise ValueError when a line is left."""
        if self._next is not None:
            raise ValueError("it holds a line too many")


def _rotation(fields: _Fields) -> Statement:
    return Rotation(
        fields.take("origin"),
        fields.number("at"),
        VerifierKey.parse(fields.take("old-key")),
        VerifierKey.parse(fields.take("new-key")),
        fields.number("from-size"),
    )


def _restore(fields: _Fields) -> Statement:
    origin, at_utc_ms = fields.take("origin"), fields.number("at")
    size, root = fields.number("size"), fields.root()
    lost = tuple(_range(value) for value in fields.take_all("lost"))
    if len(lost) > MAX_LOST_RANGES:
        raise ValueError("it names too many lost ranges")
    return Restore(origin, at_utc_ms, size, root, lost)


def _move(fields: _Fields) -> Statement:
    return Move(
        fields.take("origin"),
        fields.number("at"),
        VerifierKey.parse(fields.take("new-key")),
        tuple(VerifierKey.parse(key) for key in fields.take_all("witness-key")),
        fields.number("quorum"),
        fields.number("size"),
        fields.root(),
    )


def _range(value: str) -> tuple[int, int]:
    first, space, beyond = value.partition(" ")
    start, end = decode_decimal(first), decode_decimal(beyond) if space else 0
    if start >= end:
        raise ValueError("a lost range is empty")
    return start, end


def _malformed(why: str) -> NoteError:
    return NoteError(FaultCode.NOTE_MALFORMED, f"this is not a statement: {why}")


_KINDS: dict[type, str] = {Rotation: "rotation", Restore: "restore", Move: "move"}
_PARSERS: dict[str, Callable[[_Fields], Statement]] = {
    "rotation": _rotation,
    "restore": _restore,
    "move": _move,
}
