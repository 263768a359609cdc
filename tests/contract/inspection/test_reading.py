"""Tests of what is read of honest files and what is told of those that can't be read.

They use no file of this computer.
"""

from __future__ import annotations

import io
import lzma

import pytest
from pypdf import PdfWriter

from contract.inspection.facts import policy_attachment
from contract.inspection.inspect import inspect_file
from contract.inspection.model import FileInspection, Reason
from contract.policy.model import Inspection
from tests.contract.inspection import samples
from tests.contract.inspection.samples import CARD

_OFFICE = "application/vnd.openxmlformats-officedocument."
_FORMATS = [
    ("a.txt", f"card {CARD}".encode(), "text/plain"),
    ("a.csv", f"name;card\nHana;{CARD}".encode("utf-16"), "text/plain"),
    ("a.txt", f"Müller zahlt mit {CARD}".encode("cp1252"), "text/plain"),
    ("a.txt", f"お客様のカード番号は次のとおりです {CARD}".encode("cp932"), "text/plain"),
    ("a.txt", f"お客様のカード番号は次のとおりです {CARD}".encode("euc_jp"), "text/plain"),
    ("a.txt", f"客户的信用卡号码如下请查收谢谢 {CARD}".encode("gb18030"), "text/plain"),
    ("a.html", f"<html><b>4111 1111</b> 1111 1111 <p>{CARD}</html>".encode(), "text/html"),
    ("a.rtf", rb"{\rtf1\ansi{\fonttbl 9}M\'fcller \b 4111 1111 \b0 1111 1111}", "application/rtf"),
    ("a.docx", samples.docx(f"Card {CARD} of Hana"), _OFFICE + "wordprocessingml.document"),
    ("a.xlsx", samples.xlsx([["Card", CARD]]), _OFFICE + "spreadsheetml.sheet"),
    ("a.pptx", samples.pptx("Offer", CARD), _OFFICE + "presentationml.presentation"),
    ("a.odt", samples.odt(CARD), "application/vnd.oasis.opendocument.text"),
    ("a.pdf", samples.pdf(["Offer", CARD]), "application/pdf"),
    ("a.pdf", samples.pdf([CARD], password="", owner="secret"), "application/pdf"),
    ("a.zip", samples.zipped({"b.docx": samples.docx(CARD)}), "application/zip"),
]


@pytest.mark.parametrize(("name", "content", "media_type"), _FORMATS)
def test_a_file_that_is_wholly_read_is_clean_and_gives_its_words(
    name: str, content: bytes, media_type: str
) -> None:
    found = inspect_file(name, content)
    assert (found.media_type, found.reason) == (media_type, "")
    assert found.verdict is Inspection.CLEAN
    assert CARD in found.text
    assert not (found.encrypted or found.executable or found.type_mismatch or found.truncated)


def _mail() -> bytes:
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"] = "Grüße"
    mail["From"] = "hana@example.com"
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content(f"Meine Karte für Sie: {CARD}", cte="base64")
    mail.add_attachment(
        samples.docx("Offer 77"), maintype="application", subtype="x", filename="offer.docx"
    )
    return mail.as_bytes()


def test_a_mail_is_read_with_its_parts() -> None:
    found = inspect_file("a.eml", _mail())
    assert (found.media_type, found.verdict) == ("message/rfc822", Inspection.CLEAN)
    assert "Grüße" in found.text and CARD in found.text and "Offer 77" in found.text


def test_cells_stand_in_their_rows_and_long_figures_keep_their_digits() -> None:
    rows: list[list[str | int | float]] = [["IBAN", "DE89"], ["Card", 4.11111111111111e15]]
    found = inspect_file("a.xlsx", samples.xlsx(rows))
    assert found.text.splitlines() == ["IBAN\tDE89\t", "Card\t4111111111111110"]


def test_links_of_a_document_are_read() -> None:
    rels = (
        "<Relationships><Relationship TargetMode='External' Target='https://wa.me/49151'/>"
        "</Relationships>"
    )
    found = inspect_file("a.docx", samples.docx("Hi", {"word/_rels/document.xml.rels": rels}))
    assert "https://wa.me/49151" in found.text and found.verdict is Inspection.CLEAN


def _locked_header() -> bytes:
    """Return a 7z end header, packed with LZMA, that names the AES coder."""
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 4096, "lc": 3, "lp": 0, "pb": 2}]
    packed = lzma.compress(b"\x01\x04\x06\xf1\x07\x01 and more", lzma.FORMAT_RAW, filters=filters)
    header = b"\x17\x06\x00\x01\x09" + bytes([len(packed)]) + b"\x00\x07\x0b\x01\x00\x01\x23"
    header += b"\x03\x01\x01\x05\x5d\x00\x10\x00\x00\x0c\x20\x00\x00"
    start = samples.seven_zip(header)
    moved = bytearray(start[:32] + packed + header)
    moved[12:20] = len(packed).to_bytes(8, "little")
    return bytes(moved)


_UNREAD = [
    ("a.zip", samples.locked_zip(), Reason.ENCRYPTED),
    ("a.docx", samples.compound(["EncryptedPackage", "EncryptionInfo"]), Reason.ENCRYPTED),
    ("a.pdf", samples.pdf(["secret"], password="open"), Reason.ENCRYPTED),
    ("a.7z", samples.seven_zip(b"\x01\x04\x06\xf1\x07\x01"), Reason.ENCRYPTED),
    ("a.7z", _locked_header(), Reason.ENCRYPTED),
    ("a.rar", samples.rar4(main_flags=0x80), Reason.ENCRYPTED),
    ("a.rar", samples.rar4(file_flags=0x04), Reason.ENCRYPTED),
    ("a.rar", samples.rar5(locked_headers=True), Reason.ENCRYPTED),
    ("a.rar", samples.rar5(locked_file=True), Reason.ENCRYPTED),
    ("a.odt", samples.odt("x", "<m><encryption-data/></m>"), Reason.ENCRYPTED),
    ("a.doc", samples.compound(["WordDocument"], bytes(11) + b"\x01"), Reason.ENCRYPTED),
    ("a.xls", samples.compound(["Workbook"], b"\x09\x08\x00\x00\x2f\x00"), Reason.ENCRYPTED),
    ("a.doc", samples.compound(["WordDocument", "1Table"]), Reason.UNSUPPORTED),
    ("a.7z", samples.seven_zip(b"\x01\x04\x03\x01\x01"), Reason.ARCHIVE),
    ("a.rar", samples.rar4(), Reason.ARCHIVE),
    ("a.rar", samples.rar5(), Reason.ARCHIVE),
    ("a.pdf", samples.scanned_pdf(), Reason.NO_TEXT),
    ("a.pdf", samples.plain_pdf([CARD])[:-300], Reason.DAMAGED),
    ("a.pdf", samples.plain_pdf([CARD]) + bytes(2000), Reason.ENCODED_DATA),
    ("a.png", samples.PNG, Reason.IMAGE),
    ("a.mp3", b"ID3\x04" + bytes(60), Reason.MEDIA),
    ("a.dat", bytes(range(256)) * 8, Reason.UNKNOWN),
    ("a.txt", "Уважаемые коллеги, прошу проверить".encode("cp1251"), Reason.ENCODING),
    ("a.txt", b"data\n" + b"QUJD" * 200, Reason.ENCODED_DATA),
    ("a.exe", samples.PROGRAM, Reason.EXECUTABLE),
    ("a.jar", samples.zipped({"META-INF/MANIFEST.MF": "", "A.class": ""}), Reason.EXECUTABLE),
    ("a.msi", samples.compound(["x"], class_id=bytes.fromhex(
        "84100c0000000000c000000000000046")), Reason.EXECUTABLE),
    ("a.zip", samples.zipped({"b.exe": samples.PROGRAM}), Reason.EXECUTABLE),
    ("a.docx", samples.docx("x")[:-30], Reason.DAMAGED),
    ("a.docx", samples.docx("x", {"word/media/i.png": bytes(90_000)}), Reason.IMAGE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "reason"), _UNREAD)
def test_what_was_not_read_is_never_clean(name: str, content: bytes, reason: Reason) -> None:
    found = inspect_file(name, content)
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, reason)
    assert found.encrypted is (reason is Reason.ENCRYPTED)
    assert found.executable is (reason is Reason.EXECUTABLE)
    assert not found.type_mismatch


_FLAGGED = [
    ("a.ps1", b"Remove-Item x", Reason.SCRIPT, True),
    ("a", b"#!/bin/sh\nrm x", Reason.SCRIPT, True),
    ("a.docm", samples.docx("x", {"word/vbaProject.bin": b"x"}), Reason.MACROS, True),
    ("a.pdf", b"just words", Reason.TYPE_MISMATCH, False),
    ("a.docx", samples.xlsx([["x"]]), Reason.TYPE_MISMATCH, False),
    ("a.zip", samples.zipped({"b.js": "alert(1)"}), Reason.SCRIPT, True),
]


@pytest.mark.parametrize(("name", "content", "reason", "executable"), _FLAGGED)
def test_what_was_read_but_is_not_harmless_is_flagged(
    name: str, content: bytes, reason: Reason, executable: bool
) -> None:
    found = inspect_file(name, content)
    assert (found.verdict, found.reason) == (Inspection.FLAGGED, reason)
    assert found.executable is executable
    assert found.type_mismatch is (reason is Reason.TYPE_MISMATCH)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("invoice.pdf", samples.PROGRAM),
        ("invoice\u202efdp.exe", samples.docx("x")),
        ("photo.png", samples.pdf(["x"])),
        ("notes.txt", samples.zipped({"a": "b"})),
        ("plan.docx", samples.docx("x", {"word/vbaProject.bin": b"x"})),
    ],
)
def test_content_that_is_not_what_it_is_called_is_told(name: str, content: bytes) -> None:
    found = inspect_file(name, content)
    assert found.type_mismatch or found.executable
    assert found.verdict is not Inspection.CLEAN


def test_a_declared_type_is_compared_where_the_name_promises_none() -> None:
    assert inspect_file("scan", b"words", declared_type="application/pdf").type_mismatch
    assert not inspect_file("scan", b"words", declared_type="text/plain").type_mismatch


def test_facts_carry_the_type_by_content() -> None:
    found = inspect_file("a.pdf", samples.docx("x"), declared_type="application/pdf")
    facts = policy_attachment(found, "00" * 32, 7)
    assert facts.media_type.endswith("wordprocessingml.document") and facts.type_mismatch
    assert (facts.text, facts.size_bytes, facts.inspection) == ("x", 7, Inspection.FLAGGED)


def test_equal_bytes_give_equal_results() -> None:
    def twice(name: str, content: bytes) -> tuple[FileInspection, FileInspection]:
        return inspect_file(name, content), inspect_file(name, content)

    for name, content, _ in _FORMATS:
        first, second = twice(name, content)
        assert first == second


def test_no_length_of_a_name_hides_its_extension() -> None:
    found = inspect_file("a" * 400 + ".exe", b"words")
    assert found.executable and found.verdict is Inspection.NOT_EVALUATED


def test_what_a_pdf_says_of_itself_is_read() -> None:
    writer = PdfWriter(io.BytesIO(samples.pdf(["page"])))
    writer.add_metadata({"/Subject": "Project Falcon"})
    writer.add_outline_item(title="Chapter one", page_number=0)
    writer.add_attachment("terms.txt", b"attached words")
    sink = io.BytesIO()
    writer.write(sink)
    found = inspect_file("a.pdf", sink.getvalue())
    for words in ("page", "Project Falcon", "Chapter one", "attached words"):
        assert words in found.text
    assert found.verdict is Inspection.CLEAN
