"""Owns what one inspection has found so far and how much it may still read.

It never reads content itself: each format's module does, and reports here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from contract.inspection.model import InspectionLimits, Reason

Descend = Callable[[str, BinaryIO, "Reading", int], str]
PIECE_BYTES = 1024 * 1024
_ORDER = {reason: place for place, reason in enumerate(Reason)}


class Stopped(Exception):
    """A limit was met or content is damaged: the file at hand is not read any further."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Reading:
    """The findings and the budget of one file with all that lies within it."""

    def __init__(self, limits: InspectionLimits, descend: Descend) -> None:
        self.limits = limits
        self.encrypted = False
        self.executable = False
        self.type_mismatch = False
        self.truncated = False
        self._descend = descend
        self._reasons: set[Reason] = set()
        self._pieces: list[str] = []
        self._chars_left = limits.text_chars
        self._bytes_left = limits.inflated_bytes
        self._members_left = limits.members

    def note(self, reason: Reason) -> None:
        """Keep why something was not read, or is not to be trusted."""
        self._reasons.add(reason)
        self.encrypted = self.encrypted or reason is Reason.ENCRYPTED
        self.truncated = self.truncated or reason is Reason.TOO_LONG
        programs = (Reason.EXECUTABLE, Reason.SCRIPT, Reason.MACROS)
        self.executable = self.executable or reason in programs
        self.type_mismatch = self.type_mismatch or reason is Reason.TYPE_MISMATCH

    def reason(self) -> Reason | None:
        """Return the gravest reason noted, None when everything was read and is in order."""
        return min(self._reasons, key=_ORDER.__getitem__, default=None)

    def add_text(self, piece: str) -> bool:
        """Keep text as far as the limit lets; False once it does not."""
        if len(piece) > self._chars_left:
            self.note(Reason.TOO_LONG)
            piece = piece[: self._chars_left]
        self._chars_left -= len(piece)
        self._pieces.append(piece)
        return not self.truncated

    def text(self) -> str:
        """Return all text kept, without characters that no text has."""
        whole = "".join(self._pieces)
        paired = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return paired.replace("\x00", "").strip()

    def count_member(self) -> None:
        """Count one part of an archive; raises Stopped beyond the limit."""
        self._members_left -= 1
        if self._members_left < 0:
            raise Stopped(Reason.TOO_LARGE)

    def inflate(self, source: BinaryIO) -> bytes:
        """Return the bytes of an unpacked part, counted; raises Stopped beyond the limits."""
        whole = bytearray()
        while piece := source.read(PIECE_BYTES):
            whole += piece
            self._bytes_left -= len(piece)
            if self._bytes_left < 0 or len(whole) > self.limits.member_bytes:
                raise Stopped(Reason.TOO_LARGE)
        return bytes(whole)

    def count_bytes(self, size_bytes: int) -> None:
        """Count bytes that a library unpacked; raises Stopped beyond the limit."""
        self._bytes_left -= size_bytes
        if self._bytes_left < 0:
            raise Stopped(Reason.TOO_LARGE)

    def descend(self, name: str, source: BinaryIO, depth: int) -> str:
        """Inspect a file that lies within another; return its media type."""
        if depth > self.limits.depth:
            self.note(Reason.TOO_DEEP)
            return ""
        return self._descend(name, source, self, depth)
