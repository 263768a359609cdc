"""Owns the inspection of one file: the type by content, the reader for it, the verdict.

It never raises for what a file holds: what can't be read is not evaluated, never clean.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from contract.inspection.archives import is_locked
from contract.inspection.compound import read_compound
from contract.inspection.model import (
    READ_YET_FLAGGED,
    UNKNOWN_TYPE,
    FileInspection,
    InspectionLimits,
    Reason,
)
from contract.inspection.names import is_mismatch, is_program_name, is_script_name
from contract.inspection.packages import read_package
from contract.inspection.pdf import read_pdf
from contract.inspection.plain import PLAIN, read_text_file, text_bytes
from contract.inspection.reading import Reading, Stopped
from contract.inspection.signatures import (
    ARCHIVES,
    COMPOUND,
    HEAD_BYTES,
    PDF,
    PROGRAMS,
    ZIP,
    other_type,
    type_of_head,
)
from contract.policy.model import Inspection

_TEXT_WITH_HEAD = frozenset({"application/rtf", "text/x-script"})
_FIRST_TEXT_BYTE = 9


def inspect_file(
    name: str,
    content: BinaryIO | bytes,
    *,
    declared_type: str = "",
    limits: InspectionLimits | None = None,
) -> FileInspection:
    """Tell what a file is and says, from its bytes alone.

    `content` is read from its beginning, in pieces; `declared_type` is the media type its
    sender's system told. The same bytes, name and type give the same result on each computer.
    A library's failure on hostile content is damage, and beyond a limit the file is not wholly
    evaluated; nothing is raised but OSError of `content` itself.
    """
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    reading = Reading(limits or InspectionLimits(), _inspect_within)
    media_type = _read(name, source, reading, 0)
    _compare(name, declared_type, media_type, reading)
    return FileInspection(
        name=name,
        media_type=media_type,
        declared_type=declared_type,
        verdict=_verdict(reading.reason()),
        reason=reading.reason() or "",
        text=reading.text(),
        encrypted=reading.encrypted,
        executable=reading.executable,
        type_mismatch=reading.type_mismatch,
        truncated=reading.truncated,
    )


def _verdict(reason: Reason | None) -> Inspection:
    if reason is None:
        return Inspection.CLEAN
    return Inspection.FLAGGED if reason in READ_YET_FLAGGED else Inspection.NOT_EVALUATED


def _inspect_within(name: str, source: BinaryIO, reading: Reading, depth: int) -> str:
    media_type = _read(name, source, reading, depth)
    _compare(name, "", media_type, reading)
    return media_type


def _compare(name: str, declared_type: str, media_type: str, reading: Reading) -> None:
    """Note content that is not what it is called; a package that did not open may be any."""
    unopened = media_type == ZIP and reading.reason() in (Reason.DAMAGED, Reason.TOO_LARGE)
    if not unopened and is_mismatch(name, declared_type, media_type):
        reading.note(Reason.TYPE_MISMATCH)


def _read(name: str, source: BinaryIO, reading: Reading, depth: int) -> str:
    """Read one file as far as it can be read; return its media type by content."""
    source.seek(0)
    head = source.read(HEAD_BYTES)
    media_type = type_of_head(head)
    try:
        media_type = _read_as(media_type, head, source, reading, depth)
    except Stopped as stop:
        reading.note(stop.reason)
    except OSError:
        if depth == 0:
            raise
        reading.note(Reason.DAMAGED)
    except Exception:  # noqa: BLE001 - what a library raises on hostile content has no common class
        reading.note(Reason.DAMAGED)
    if is_program_name(name):
        reading.note(Reason.EXECUTABLE)
    elif is_script_name(name):
        reading.note(Reason.SCRIPT)
    return media_type or UNKNOWN_TYPE


def _read_as(media_type: str, head: bytes, source: BinaryIO, reading: Reading, depth: int) -> str:
    if media_type == ZIP:
        return read_package(source, reading, depth)
    if media_type == COMPOUND:
        return read_compound(source, reading)
    if media_type == PDF:
        read_pdf(source, reading, depth)
    elif media_type in PROGRAMS:
        reading.note(Reason.EXECUTABLE)
    elif media_type in ARCHIVES:
        reading.note(Reason.ENCRYPTED if is_locked(media_type, source) else Reason.ARCHIVE)
    elif not media_type or media_type in _TEXT_WITH_HEAD:
        return _read_text(head, source, reading, depth)
    else:
        reading.note(Reason.IMAGE if media_type.startswith("image/") else Reason.MEDIA)
    return media_type


def _read_text(head: bytes, source: BinaryIO, reading: Reading, depth: int) -> str:
    """Read a file without a signature as text; what is none gets a library's name."""
    most_bytes = text_bytes(reading)
    source.seek(0)
    content = source.read(most_bytes)
    size_bytes = source.seek(0, io.SEEK_END)
    media_type = read_text_file(content, size_bytes <= len(content), reading, depth)
    if media_type:
        return media_type
    found = other_type(head)
    if found == UNKNOWN_TYPE and not any(byte < _FIRST_TEXT_BYTE for byte in head):
        reading.note(Reason.ENCODING)
        return PLAIN
    reading.note(_reason_unread(found))
    return found


def _reason_unread(found_type: str) -> Reason:
    if found_type.startswith("image/"):
        return Reason.IMAGE
    if found_type.startswith(("audio/", "video/")):
        return Reason.MEDIA
    return Reason.UNKNOWN if found_type == UNKNOWN_TYPE else Reason.UNSUPPORTED
