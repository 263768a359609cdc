"""Tests that no content stops an inspection, fills the memory or passes unread as clean.

They use no clock: each limit is on sizes and steps.
"""

from __future__ import annotations

import io
import random
import tracemalloc
import zipfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.inspection.inspect import inspect_file
from contract.inspection.model import FileInspection, InspectionLimits, Reason
from contract.policy.model import Inspection
from tests.contract.inspection import samples

_SMALL = InspectionLimits(
    text_chars=20_000,
    inflated_bytes=4 * 1024 * 1024,
    member_bytes=2 * 1024 * 1024,
    members=200,
    pdf_pages=20,
    pdf_steps=20_000,
)


def _inspect(name: str, content: bytes) -> FileInspection:
    return inspect_file(name, content, limits=_SMALL)


def _nested(depth: int) -> bytes:
    content = samples.zipped({"a.txt": "deep words"})
    for _ in range(depth):
        content = samples.zipped({"a.zip": content})
    return content


def _lying_zip() -> bytes:
    """Return a zip file that tells of ten bytes and holds ten million."""
    content = bytearray(samples.zipped({"a.txt": b"0" * 10_000_000}))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.index(signature) + at
        content[place : place + 4] = (10).to_bytes(4, "little")
    return bytes(content)


_BOMB = (
    "<!DOCTYPE w:document [<!ENTITY a 'aaaaaaaaaa'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]><w:document xmlns:w='w'><w:p>&j;</w:p></w:document>"
)
_OUTSIDE = (
    "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><w:document xmlns:w='w'>&x;"
    "</w:document>"
)
_HOSTILE = [
    ("a.zip", samples.zipped({"a.txt": b"0" * 30_000_000}), Reason.TOO_LARGE),
    ("a.zip", _lying_zip(), Reason.DAMAGED),
    ("a.zip", samples.zipped({f"{n}.txt": b"x" for n in range(300)}), Reason.TOO_LARGE),
    ("a.zip", _nested(6), Reason.TOO_DEEP),
    ("a.docx", samples.docx("x", {"word/document.xml": _BOMB}), Reason.DAMAGED),
    ("a.docx", samples.docx("x", {"word/document.xml": _OUTSIDE}), Reason.DAMAGED),
    ("a.docx", samples.docx("x", {"word/document.xml": b"<a>" * 500_000}), Reason.DAMAGED),
    ("a.docx", samples.docx("x", {"word/document.xml": b" " * 3_000_000}), Reason.TOO_LARGE),
    ("a.txt", b"word " * 100_000, Reason.TOO_LONG),
    ("a.zip", samples.zipped({"a": "x"}, zipfile.ZIP_LZMA), Reason.UNSUPPORTED),
    ("a.pdf", samples.plain_pdf([], [b"BT /F1 9 Tf " + b"(a) Tj " * 30_000]), Reason.TOO_SLOW),
    ("a.pdf", samples.pdf(["page"] * 30), Reason.TOO_LONG),
    ("a.pdf", samples.plain_pdf([], [bytes(20_000_000)]), Reason.TOO_LARGE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "reason"), _HOSTILE)
def test_a_limit_leaves_the_file_not_evaluated(name: str, content: bytes, reason: Reason) -> None:
    found = _inspect(name, content)
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, reason)
    assert len(found.text) <= _SMALL.text_chars
    assert found.truncated is (reason is Reason.TOO_LONG)


@pytest.mark.parametrize("name", ["inflating", "entities"])
def test_a_bomb_stays_within_its_memory(name: str) -> None:
    bomb = samples.zipped({"a.txt": b"0" * 60_000_000})
    if name == "entities":
        bomb = samples.docx("x", {"word/document.xml": _BOMB})
    tracemalloc.start()
    _inspect("a.zip", bomb)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 12 * 1024 * 1024


def test_a_hidden_member_is_not_overlooked() -> None:
    hidden = samples.zipped({"secret.txt": random.Random(7).randbytes(200_000)})
    shown = samples.zipped({"a.txt": "harmless"})
    sink = io.BytesIO()
    sink.write(hidden[: hidden.rindex(b"PK\x01\x02")])
    with zipfile.ZipFile(sink, "a") as package:
        package.writestr("a.txt", "harmless")
    found = _inspect("a.zip", sink.getvalue())
    assert found.verdict is Inspection.NOT_EVALUATED
    assert _inspect("a.zip", shown).verdict is Inspection.CLEAN


def test_two_members_of_one_name_are_both_read() -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr("a.txt", "first words")
        package.writestr("a.txt", "second words")
    found = _inspect("a.zip", sink.getvalue())
    assert "first words" in found.text and "second words" in found.text


_SEEDS: tuple[tuple[str, bytes], ...] = (
    ("a.docx", samples.docx("Card 4111 1111 1111 1111 of Hana")),
    ("a.xlsx", samples.xlsx([["Card", 4111, "Hana"], [1.5, "x"]])),
    ("a.pptx", samples.pptx("Offer", "Notes")),
    ("a.odt", samples.odt("words")),
    ("a.pdf", samples.plain_pdf(["Offer 4111 1111 1111 1111", "second"])),
    ("a.pdf", samples.pdf(["secret"], password="open")),
    ("a.pdf", samples.pdf(["open"], password="", owner="x")),
    ("a.zip", samples.zipped({"b.docx": samples.docx("x"), "c.txt": "y"}, zipfile.ZIP_STORED)),
    ("a.doc", samples.compound(["WordDocument", "1Table", "x", "y", "z"], bytes(40))),
    ("a.7z", samples.seven_zip(b"\x17\x06\x00\x01\x09\x10\x03\x01\x01\x05\x5d\x00\x10\x00\x00")),
    ("a.rar", samples.rar5(locked_file=True)),
    ("a.rar", samples.rar4(file_flags=0x8000)),
    ("a.rtf", rb"{\rtf1\ansi\ansicpg1252 \u8364?{\pict 00} \'fc words}"),
    ("a.html", b"<html><p title='x'>words &amp; &#x31;</p><script>x</script>"),
    ("a.eml", b"MIME-Version: 1.0\nSubject: =?utf-8?B?w7w=?=\n\nwords"),
)


@st.composite
def _mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a real file with some bytes changed, cut out, doubled or put in."""
    name, seed = draw(st.sampled_from(_SEEDS))
    content = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        size = draw(st.integers(0, 40))
        kind = draw(st.integers(0, 3))
        if kind == 0 and content:
            content[at] = draw(st.integers(0, 255))
        elif kind == 1:
            del content[at : at + size]
        elif kind == 2:
            content[at:at] = content[at : at + size]
        else:
            content[at:at] = draw(st.binary(max_size=12))
    return name, bytes(content)


@settings(max_examples=250, deadline=None)
@given(_mutated())
def test_no_mutated_file_raises_or_differs_when_inspected_again(case: tuple[str, bytes]) -> None:
    name, content = case
    found = _inspect(name, content)
    assert msgspec.json.decode(msgspec.json.encode(found), type=FileInspection) == found
    assert (found.verdict is Inspection.CLEAN) is (found.reason == "")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([start for _, start in _SEEDS]))
def test_no_bytes_behind_a_real_beginning_raise(rest: bytes, start: bytes) -> None:
    found = _inspect("a.bin", start[:24] + rest)
    assert isinstance(found.text, str)


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_no_content_stream_of_a_pdf_raises(drawn: bytes) -> None:
    assert isinstance(_inspect("a.pdf", samples.plain_pdf([], [drawn])).text, str)
