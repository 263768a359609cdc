"""Owns how a file's type is told from its first bytes.

It never looks at a name and never reads a whole file.

Own table first: what decides on sending must not move with a library's list. The library
names the rest. Sources: IANA media types; the formats' own specifications.
"""

from __future__ import annotations

import re

from contract.inspection.model import UNKNOWN_TYPE

HEAD_BYTES = 4096
ZIP = "application/zip"
PDF = "application/pdf"
COMPOUND = "application/x-ole-storage"
SEVEN_ZIP = "application/x-7z-compressed"
RAR = "application/vnd.rar"
WINDOWS_PROGRAM = "application/vnd.microsoft.portable-executable"
SCRIPT = "text/x-script"

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"PK\x07\x08", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", COMPOUND),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"Rar!\x1a\x07", RAR),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"MSCF\x00\x00\x00\x00", "application/vnd.ms-cab-compressed"),
    (b"\x7fELF", "application/x-elf"),
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xca\xfe\xba\xbe", "application/x-mach-binary"),  # also a Java class: a program, too
    (b"\x00asm", "application/wasm"),
    (b"dex\n", "application/x-dex"),
    (b"\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00", "application/x-ms-shortcut"),
    (b"!<arch>\n", "application/x-archive"),
    (b"\xed\xab\xee\xdb", "application/x-rpm"),
    (b"ITSF\x03\x00\x00\x00", "application/vnd.ms-htmlhelp"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"\xff\x0a", "image/jxl"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"{\\rtf", "application/rtf"),
    (b"#!", SCRIPT),
)
_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
_RIFFS = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
PROGRAMS = frozenset(
    {
        WINDOWS_PROGRAM,
        "application/x-elf",
        "application/x-mach-binary",
        "application/wasm",
        "application/x-dex",
        "application/x-ms-shortcut",
        "application/x-rpm",
        "application/x-archive",
        "application/vnd.ms-htmlhelp",
        "application/x-msi",
        "application/java-archive",
        "application/vnd.android.package-archive",
    }
)
ARCHIVES = frozenset(
    {
        SEVEN_ZIP,
        RAR,
        "application/gzip",
        "application/x-bzip2",
        "application/x-xz",
        "application/zstd",
        "application/vnd.ms-cab-compressed",
        "application/x-tar",
    }
)
_PARTS = re.compile(rb"^content-t", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


def type_of_head(head: bytes) -> str:
    """Return the media type that a file's first HEAD_BYTES tell; "" when they tell none.

    Text has no signature; a script's first line, rich text and PDF do.
    """
    if head[:2] == b"MZ" and _is_windows_program(head):
        return WINDOWS_PROGRAM
    if head[:4] == b"RIFF":
        return _RIFFS.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:2] == b"BM" and head[6:10] == b"\x00\x00\x00\x00" and len(head) > 26:
        return "image/bmp"
    if head[:3] == b"BZh" and head[4:10] == b"1AY&SY":
        return "application/x-bzip2"
    if head[:3] == b"ID3" and head[3:4] < b"\x10":
        return "audio/mpeg"
    if head[257:262] == b"ustar":
        return "application/x-tar"
    for start, media_type in _STARTS:
        if head.startswith(start):
            return media_type
    # PDF readers find the header within the first 1 024 bytes (ISO 32000-1, annex H.3.4.1).
    return PDF if b"%PDF-" in head[:1024] else ""


def other_type(head: bytes) -> str:
    """Return the library's name for rare binary content, UNKNOWN_TYPE where it knows none."""
    import puremagic

    try:
        guesses = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return UNKNOWN_TYPE
    for guess in guesses:
        if len(guess.byte_match) >= 4 and _TYPE.fullmatch(guess.mime_type or ""):
            return str(guess.mime_type)
    return UNKNOWN_TYPE


def is_costly(content: bytes) -> bool:
    """Tell whether a file belongs into a process of its own: it can hold others."""
    return type_of_head(content[:HEAD_BYTES]) in {ZIP, PDF} or _PARTS.search(content) is not None


def _is_windows_program(head: bytes) -> bool:
    """Tell a program from a text that begins with "MZ": DOS programs hold zero bytes, too."""
    return b"\x00" in head[:64]
