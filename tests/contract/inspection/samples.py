"""Makes small real files of many formats, honest and hostile.

It never writes to the disk.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

CARD = "4111 1111 1111 1111"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_TYPES = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"


def zipped(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file with these members."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return sink.getvalue()


def docx(text: str, more: dict[str, bytes | str] | None = None) -> bytes:
    """Return a document whose words stand in runs of three characters, as editing leaves them."""
    runs = "".join(
        f"<w:r><w:t xml:space='preserve'>{text[at : at + 3]}</w:t></w:r>"
        for at in range(0, len(text), 3)
    )
    body = f"<w:document {_W}><w:body><w:p>{runs}</w:p></w:body></w:document>"
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": _TYPES,
        "word/document.xml": f"<?xml version='1.0' encoding='UTF-8'?>{body}",
    }
    return zipped(members | (more or {}))


def xlsx(rows: list[list[str | int | float]]) -> bytes:
    """Return a workbook of one sheet: words as shared strings, figures as values."""
    strings: list[str] = []
    lines = []
    for row in rows:
        cells = ""
        for value in row:
            if isinstance(value, str):
                cells += f'<c t="s"><v>{len(strings)}</v></c>'
                strings.append(value)
            else:
                cells += f"<c><v>{value!r}</v></c>"
        lines.append(f"<row>{cells}</row>")
    items = "".join(f"<si><t>{one}</t></si>" for one in strings)
    sheet = f"<worksheet {_S}><sheetData>{''.join(lines)}</sheetData></worksheet>"
    return zipped(
        {
            "[Content_Types].xml": _TYPES,
            "xl/workbook.xml": f"<workbook {_S}/>",
            "xl/sharedStrings.xml": f"<sst {_S}>{items}</sst>",
            "xl/worksheets/sheet1.xml": sheet,
        }
    )


def pptx(title: str, notes: str) -> bytes:
    """Return a presentation of one slide with a note."""

    def slide(words: str) -> str:
        return f"<p:sld xmlns:p='p' {_A}><a:p><a:r><a:t>{words}</a:t></a:r></a:p></p:sld>"

    return zipped(
        {
            "[Content_Types].xml": _TYPES,
            "ppt/slides/slide1.xml": slide(title),
            "ppt/notesSlides/notesSlide1.xml": slide(notes),
        }
    )


def odt(text: str, manifest: str = "<manifest/>") -> bytes:
    """Return an OpenDocument text."""
    content = f"<o xmlns:text='t'><text:p>{text}</text:p></o>"
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": manifest,
            "content.xml": content,
        }
    )


def locked_zip(name: str = "secret.txt") -> bytes:
    """Return a zip file whose one member is marked as encrypted, in both of its headers."""
    content = bytearray(zipped({name: b"not to be read"}, zipfile.ZIP_STORED))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + at] |= 1
    return bytes(content)


def pdf(pages: list[str], password: str | None = None, owner: str | None = None) -> bytes:
    """Return a PDF with a page per text, locked with a password where one is given."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    for page in PdfReader(io.BytesIO(plain_pdf(pages))).pages:
        writer.add_page(page)
    if password is not None:
        writer.encrypt(password, owner, algorithm="AES-256")
    sink = io.BytesIO()
    writer.write(sink)
    return sink.getvalue()


def plain_pdf(pages: list[str], streams: list[bytes] | None = None) -> bytes:
    """Return a PDF written by hand; `streams` stand in the place of the pages' own content."""
    drawn = streams or [f"BT /F1 12 Tf 72 700 Td ({page}) Tj ET".encode() for page in pages]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(drawn)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(drawn)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, stream in enumerate(drawn):
        page = f"/Contents {5 + 2 * number} 0 R /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] {page} >>".encode())
        packed = zlib.compress(stream)
        head = f"<< /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode()
        objects.append(head + packed + b"\nendstream")
    return _pdf_of(objects)


def scanned_pdf(picture_bytes: int = 60_000) -> bytes:
    """Return a PDF of one page that shows a picture and no words."""
    picture = bytes(picture_bytes)
    head = f"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /Length {len(picture)} >>"
    draw = b"q 600 0 0 800 0 0 cm /I1 Do Q"
    page = "/Contents 5 0 R /Resources << /XObject << /I1 4 0 R >> >>"
    return _pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] {page} >>".encode(),
            f"{head}\nstream\n".encode() + picture + b"\nendstream",
            f"<< /Length {len(draw)} >>\nstream\n".encode() + draw + b"\nendstream",
        ]
    )


def _pdf_of(objects: list[bytes]) -> bytes:
    content = bytearray(b"%PDF-1.7\n")
    places = []
    for number, each in enumerate(objects, start=1):
        places.append(len(content))
        content += f"{number} 0 obj\n".encode() + each + b"\nendobj\n"
    start = len(content)
    content += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    content += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    content += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n".encode()
    return bytes(content + f"startxref\n{start}\n%%EOF\n".encode())


def compound(streams: list[str], first: bytes = b"", class_id: bytes = bytes(16)) -> bytes:
    """Return a compound file with these streams; the first one's first sector holds `first`."""
    names = ["Root Entry", *streams]
    entries = b""
    for number in range(max(4, len(names))):
        if number >= len(names):
            entries += bytes(128)
            continue
        name = names[number].encode("utf-16-le") + b"\x00\x00"
        entry = bytearray(128)
        entry[: len(name)] = name
        struct.pack_into("<H", entry, 64, len(name))
        entry[66] = 5 if number == 0 else 2
        entry[80:96] = class_id if number == 0 else bytes(16)
        struct.pack_into("<I", entry, 116, 2 if number == 1 else 0xFFFFFFFE)
        entries += bytes(entry)
    directory = entries + bytes(-len(entries) % 512)
    sectors = len(directory) // 512
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHH", header, 24, 0x3E, 3, 0xFFFE, 9)
    struct.pack_into("<I", header, 48, 1 if sectors == 1 else 3)
    struct.pack_into("<109I", header, 76, 0, *([0xFFFFFFFF] * 108))
    chain = [0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE]
    chain += [4 + number for number in range(sectors - 1)] + [0xFFFFFFFE]
    table = struct.pack(f"<{len(chain)}I", *chain)
    table += b"\xff" * (512 - len(table))
    data = first + bytes(512 - len(first))
    if sectors == 1:
        return bytes(header) + table + directory + data
    return bytes(header) + table + bytes(512) + data + directory


def seven_zip(header: bytes) -> bytes:
    """Return a 7z file with this end header."""
    return (
        b"7z\xbc\xaf\x27\x1c\x00\x04"
        + bytes(4)
        + struct.pack("<QQI", 0, len(header), zlib.crc32(header))
        + header
    )


def rar4(main_flags: int = 0, file_flags: int = 0) -> bytes:
    """Return a RAR 4 archive with one file's header and no content."""
    main = struct.pack("<HBHH", 0, 0x73, main_flags, 13) + bytes(6)
    member = struct.pack("<HBHHI", 0, 0x74, file_flags, 40, 0) + bytes(29)
    return b"Rar!\x1a\x07\x00" + main + member


def rar5(locked_headers: bool = False, locked_file: bool = False) -> bytes:
    """Return a RAR 5 archive with one file's header and no content."""
    content = b"Rar!\x1a\x07\x01\x00"
    if locked_headers:
        return content + bytes(4) + b"\x03\x04\x00\x00"
    content += bytes(4) + b"\x03\x01\x00\x00"
    extra = b"\x02\x01\x00" if locked_file else b"\x02\x03\x00"
    body = b"\x02\x01" + bytes([len(extra)]) + b"\x00" * 8 + extra
    return content + bytes(4) + bytes([len(body)]) + body


PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(40)
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(52) + b"\x80\x00\x00\x00" + bytes(100)
