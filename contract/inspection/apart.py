"""Owns what is said between a program and the process that inspects a file for it.

It never starts a process: each side does that in its own way and with its own patience.

The process hears one line of JSON, then the file's bytes to the end of its input; it answers
with one FileInspection as JSON.
"""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, Protocol

import msgspec

from contract.inspection.model import FileInspection, Reason, unread
from contract.inspection.reading import PIECE_BYTES
from contract.inspection.signatures import is_costly

LONGEST_S = 30.0
"""After this a process that hangs is ended: far beyond what the limits let it do."""
MOST_BYTES_HERE = 1024 * 1024
_LONGEST_LINE = 16 * 1024
_MOST_ANSWER_BYTES = 16 * 1024 * 1024


class Process(Protocol):
    """A started process, as `subprocess.Popen[bytes]` is one, with pipes to it and from it."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Where it listens."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """Where it answers."""

    def kill(self) -> None:
        """End it at once."""

    def wait(self) -> int:
        """Wait for its end."""


class InspectionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One file to inspect; its bytes come apart from it."""

    name: str
    declared_type: str = ""


def inspect_here(request: InspectionRequest, content: bytes) -> FileInspection | None:
    """Inspect a small file of a cheap kind at once; None: it belongs into a process of its own."""
    if len(content) > MOST_BYTES_HERE or is_costly(content):
        return None
    from contract.inspection.inspect import inspect_file  # its formats cost start-up

    return inspect_file(request.name, content, declared_type=request.declared_type)


def opening_line(request: InspectionRequest) -> bytes:
    """Return the line that the process hears first."""
    return msgspec.json.encode(request) + b"\n"


def answered(request: InspectionRequest, answer: bytes, *, in_time: bool) -> FileInspection:
    """Return what a process answered; a process that fell over its file has met damage."""
    try:
        return msgspec.json.decode(answer, type=FileInspection)
    except (msgspec.DecodeError, UnicodeDecodeError):
        reason = Reason.DAMAGED if in_time else Reason.TOO_SLOW
        return unread(request.name, request.declared_type, reason)


def exchange(process: Process, request: InspectionRequest, pieces: Iterable[bytes]) -> bytes:
    """Hand a started process its file, end it and return its answer, as far as it gave one.

    It blocks until the process has answered or was ended by another thread. Raises what
    `pieces` raises; the process has ended in any case.
    """
    assert process.stdin is not None and process.stdout is not None
    try:
        for piece in itertools.chain((opening_line(request),), pieces):
            try:
                process.stdin.write(piece)
            except OSError:  # it ended before its file did, and tells by its answer
                break
        with contextlib.suppress(OSError):
            process.stdin.close()
        return process.stdout.read(_MOST_ANSWER_BYTES)
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        process.wait()


def serve_one(source: BinaryIO, sink: BinaryIO) -> None:
    """Inspect the one file that `source` brings, in the process of its own.

    Raises msgspec.DecodeError when the first line is no request.
    """
    request = msgspec.json.decode(source.readline(_LONGEST_LINE), type=InspectionRequest)
    content = io.BytesIO()
    for piece in _pieces(source):
        content.write(piece)
    from contract.inspection.inspect import inspect_file

    found = inspect_file(request.name, content, declared_type=request.declared_type)
    sink.write(msgspec.json.encode(found))
    sink.flush()


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    while piece := source.read(PIECE_BYTES):
        yield piece
