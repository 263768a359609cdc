"""Owns what is read of PDF files: pages, fields, notes, attached files.

It never draws a page and reads no picture: a page of pictures alone is a page without text.

Sources: ISO 32000-1; the library's own limits on unpacking and parsing are kept tight.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from contract.inspection.model import Reason
from contract.inspection.reading import Reading, Stopped
from contract.inspection.steps import OutOfSteps, Steps

if TYPE_CHECKING:
    from pypdf import Configuration, PdfReader
    from pypdf.generic import DictionaryObject

_TAIL_BYTES = 64 * 1024
_SLACK_BYTES = 1024
_UNPACKED_BYTES = 16 * 1024 * 1024
_MOST_FORM_DEPTH = 5
_MOST_NOTES = 10_000
_PARTS_PER_STEP = 4
_EMPTY_PAGE_BYTES = 16
_PROGRAMS = frozenset({"/JavaScript", "/Launch", "/ImportData"})
# More than this share of signs without a meaning: the font's letters could not be told.
_MOST_UNKNOWN_SIGNS = 0.1


def read_pdf(source: BinaryIO, reading: Reading, depth: int) -> None:
    """Keep a PDF's words; raises Stopped where it is locked, damaged or beyond a limit.

    A file that opens without a password counts as open, whatever it forbids its readers.
    """
    from pypdf import apply_configuration
    from pypdf.errors import LimitReachedError

    size_bytes = source.seek(0, io.SEEK_END)
    if size_bytes > reading.limits.pdf_bytes:
        raise Stopped(Reason.TOO_LARGE)
    _check_end(source, size_bytes, reading)
    source.seek(0)
    try:
        with apply_configuration(_limits(reading)):
            attached = _read(_opened(source), reading)
    except LimitReachedError as fault:
        raise Stopped(Reason.TOO_LARGE) from fault
    except OutOfSteps as stop:
        raise Stopped(Reason.TOO_SLOW) from stop
    for name, data in attached:
        reading.count_member()
        reading.count_bytes(len(data))
        reading.add_text(f"{name}\n")
        reading.descend(name, io.BytesIO(data), depth + 1)
        reading.add_text("\n")


def _read(reader: PdfReader, reading: Reading) -> list[tuple[str, bytes]]:
    """Keep what a reader shows of the file; return the files attached to it."""
    _read_pages(reader, reading)
    _read_fields(reader, reading)
    _read_about(reader, reading)
    _note_programs(reader, reading)
    return [(name, data) for name, all_data in reader.attachments.items() for data in all_data]


def _limits(reading: Reading) -> Configuration:
    from pypdf import Configuration

    return Configuration(
        maximum_declared_stream_length=_UNPACKED_BYTES,
        array_based_stream_maximum_output_length=_UNPACKED_BYTES,
        lzw_maximum_output_length=_UNPACKED_BYTES,
        run_length_maximum_output_length=_UNPACKED_BYTES,
        zlib_maximum_output_length=_UNPACKED_BYTES,
        brotli_maximum_output_length=_UNPACKED_BYTES,
        stream_parsing_work_maximum_count=_PARTS_PER_STEP * reading.limits.pdf_steps,
        stream_decoding_work_maximum_length=4 * _UNPACKED_BYTES,
        jbig2dec_binary=None,  # no program is run
    )


def _opened(source: BinaryIO) -> PdfReader:
    from pypdf import PasswordType, PdfReader
    from pypdf.errors import DependencyError, WrongPasswordError

    try:
        reader = PdfReader(source)
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            raise Stopped(Reason.ENCRYPTED)
    except (NotImplementedError, DependencyError, WrongPasswordError) as fault:
        raise Stopped(Reason.ENCRYPTED) from fault  # a certificate's holder alone can open it
    return reader


def _check_end(source: BinaryIO, size_bytes: int, reading: Reading) -> None:
    """Note what hangs behind a PDF's end: another file, for one."""
    source.seek(max(0, size_bytes - _TAIL_BYTES))
    tail = source.read(_TAIL_BYTES)
    end = tail.rfind(b"%%EOF")
    if end < 0 or len(tail) - end > _SLACK_BYTES:
        reading.note(Reason.ENCODED_DATA)


def _read_pages(reader: PdfReader, reading: Reading) -> None:
    steps = Steps(reading.limits.pdf_steps)
    for number, page in enumerate(reader.pages):
        if number >= reading.limits.pdf_pages:
            reading.note(Reason.TOO_LONG)
            break
        drawn_bytes = _content_bytes(page)
        reading.count_bytes(drawn_bytes)
        words = page.extract_text(visitor_operand_before=steps.count)
        pictures = list(_pictures(page, 0))
        if any(size > reading.limits.decoration_bytes for size in pictures):
            reading.note(Reason.IMAGE)
        # Without words what is drawn is a picture of them, or letters drawn as curves.
        wordless = not words.strip() and (bool(pictures) or drawn_bytes > _EMPTY_PAGE_BYTES)
        if wordless or _is_garbled(words):
            reading.note(Reason.NO_TEXT)
        if not reading.add_text(f"{words}\n"):
            break
        for note in _notes(page):
            reading.add_text(f"{note}\n")


def _content_bytes(page: DictionaryObject) -> int:
    """Return how much a page's own content streams hold, unpacked."""
    from pypdf.generic import StreamObject

    content = page.get("/Contents")
    whole = content.get_object() if content is not None else None
    streams = [one.get_object() for one in whole] if isinstance(whole, list) else [whole]
    return sum(len(one.get_data().strip()) for one in streams if isinstance(one, StreamObject))


def _is_garbled(words: str) -> bool:
    signs = [char for char in words if not char.isspace()]
    unknown = sum(
        char == "\ufffd" or unicodedata.category(char) in ("Cc", "Co", "Cn") for char in signs
    )
    return unknown > _MOST_UNKNOWN_SIGNS * len(signs)


def _pictures(holder: DictionaryObject, depth: int) -> Iterator[int]:
    """Yield the stored size of each picture of a page and of the forms it draws."""
    resources = holder.get("/Resources")
    objects = resources.get_object().get("/XObject") if resources is not None else None
    if objects is None or depth > _MOST_FORM_DEPTH:
        return
    for each in objects.get_object().values():
        drawn = each.get_object()
        if drawn.get("/Subtype") == "/Image":
            yield int(drawn.get("/Length", 0))
        elif drawn.get("/Subtype") == "/Form":
            yield from _pictures(drawn, depth + 1)


def _notes(page: DictionaryObject) -> Iterator[str]:
    """Yield the words of a page's notes and where its links lead."""
    notes = page.get("/Annots")
    for each in list(notes.get_object())[:_MOST_NOTES] if notes is not None else ():
        note = each.get_object()
        action = note.get("/A")
        target = action.get_object().get("/URI") if action is not None else None
        for words in (note.get("/Contents"), target):
            if words is not None:
                yield str(words.get_object())


def _read_fields(reader: PdfReader, reading: Reading) -> None:
    fields = reader.get_fields() or {}
    for name, field in fields.items():
        value = field.get("/V")
        if value is not None and not reading.add_text(f"{name}: {value}\n"):
            return
    form = reader.root_object.get("/AcroForm")
    if form is not None and "/XFA" in form.get_object():
        reading.note(Reason.UNSUPPORTED)


def _read_about(reader: PdfReader, reading: Reading) -> None:
    """Keep what the file says of itself, and the words of its table of contents."""
    from pypdf.generic import Destination

    for value in (reader.metadata or {}).values():
        reading.add_text(f"{value}\n")
    waiting: list[object] = [reader.outline]
    while waiting and not reading.truncated:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each[::-1]
        elif isinstance(each, Destination):
            reading.add_text(f"{each.title or ''}\n")


def _note_programs(reader: PdfReader, reading: Reading) -> None:
    """Note a script or a program that the file would start."""
    root = reader.root_object
    names = root.get("/Names")
    if names is not None and "/JavaScript" in names.get_object():
        reading.note(Reason.SCRIPT)
    opening = root.get("/OpenAction")
    action = opening.get_object() if opening is not None else None
    if isinstance(action, dict) and action.get("/S") in _PROGRAMS:
        reading.note(Reason.SCRIPT)
