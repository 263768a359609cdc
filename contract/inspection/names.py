"""Owns what a file's name and declared type promise, to compare them with its content.

It never looks at content. Sources: IANA media types, Microsoft's list of blocked file types.
"""

from __future__ import annotations

from contract.inspection.model import UNKNOWN_TYPE
from contract.names import shown_name

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_DOCM = "application/vnd.ms-word.document.macroEnabled.12"
_XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12"
_PPTM = "application/vnd.ms-powerpoint.presentation.macroEnabled.12"
_LOCKED = "application/x-ms-office-encrypted"
_LONGEST_NAME_CHARS = 255
_ODF = "application/vnd.oasis.opendocument."

# Extension → the types that its content may have; the first is the one it stands for.
_PROMISED: dict[str, tuple[str, ...]] = {
    "pdf": ("application/pdf",),
    "docx": (_DOCX, _LOCKED),
    "dotx": (_DOCX, _LOCKED),
    "docm": (_DOCM, _DOCX, _LOCKED),
    "xlsx": (_XLSX, _LOCKED),
    "xltx": (_XLSX, _LOCKED),
    "xlsm": (_XLSM, _XLSX, _LOCKED),
    "xlsb": (_XLSX, _XLSM, _LOCKED),
    "pptx": (_PPTX, _LOCKED),
    "ppsx": (_PPTX, _LOCKED),
    "pptm": (_PPTM, _PPTX, _LOCKED),
    "doc": ("application/msword", _LOCKED, "application/rtf"),
    "xls": ("application/vnd.ms-excel", _LOCKED),
    "ppt": ("application/vnd.ms-powerpoint", _LOCKED),
    "msg": ("application/vnd.ms-outlook",),
    "rtf": ("application/rtf",),
    "odt": (_ODF + "text",),
    "ods": (_ODF + "spreadsheet",),
    "odp": (_ODF + "presentation",),
    "odg": (_ODF + "graphics",),
    "epub": ("application/epub+zip",),
    "zip": ("application/zip",),
    "7z": ("application/x-7z-compressed",),
    "rar": ("application/vnd.rar",),
    "gz": ("application/gzip",),
    "tgz": ("application/gzip",),
    "bz2": ("application/x-bzip2",),
    "xz": ("application/x-xz",),
    "tar": ("application/x-tar",),
    "png": ("image/png",),
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "jfif": ("image/jpeg",),
    "gif": ("image/gif",),
    "bmp": ("image/bmp",),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "webp": ("image/webp",),
    "heic": ("image/heic", "image/heif"),
    "svg": ("image/svg+xml", "application/xml"),
    "mp4": ("video/mp4", "audio/mp4", "video/quicktime"),
    "mov": ("video/quicktime", "video/mp4"),
    "m4a": ("audio/mp4", "video/mp4"),
    "webm": ("video/webm",),
    "mp3": ("audio/mpeg",),
    "ogg": ("audio/ogg",),
    "wav": ("audio/wav",),
    "eml": ("message/rfc822", "text/plain"),
}
_TEXTS = frozenset(
    {
        "text/plain",
        "text/html",
        "application/xml",
        "message/rfc822",
        "text/x-script",
        "image/svg+xml",
    }
)
_TEXT_NAMES = frozenset(
    {
        "txt",
        "text",
        "csv",
        "tsv",
        "md",
        "log",
        "json",
        "yaml",
        "yml",
        "ini",
        "html",
        "htm",
        "xhtml",
        "xml",
        "ics",
        "vcf",
        "srt",
        "tex",
        "rst",
    }
)
_SCRIPT_NAMES = frozenset(
    {
        "bat",
        "cmd",
        "ps1",
        "psm1",
        "vbs",
        "vbe",
        "js",
        "jse",
        "mjs",
        "wsf",
        "wsh",
        "hta",
        "sh",
        "bash",
        "zsh",
        "py",
        "pyw",
        "pl",
        "rb",
        "php",
        "reg",
        "inf",
        "scf",
        "applescript",
        "command",
        "desktop",
        "url",
        "lua",
        "ahk",
        "au3",
    }
)
_PROGRAM_NAMES = frozenset(
    {
        "exe",
        "dll",
        "com",
        "scr",
        "pif",
        "msi",
        "msp",
        "cpl",
        "sys",
        "drv",
        "ocx",
        "jar",
        "apk",
        "app",
        "deb",
        "rpm",
        "dmg",
        "pkg",
        "lnk",
        "gadget",
        "xll",
        "elf",
        "so",
        "dylib",
        "appimage",
        "iso",
        "img",
        "vhd",
        "vhdx",
    }
)


def extension(name: str) -> str:
    """Return the lower-case extension as the system that opens the file reads it, "" for none."""
    last = name.rpartition("/")[2].rpartition("\\")[2][-_LONGEST_NAME_CHARS:]
    stem, dot, ending = shown_name(last, _LONGEST_NAME_CHARS).rstrip(". ").rpartition(".")
    return ending.lower() if dot and stem else ""


def is_script_name(name: str) -> bool:
    """Tell whether a system would run a text of this name."""
    return extension(name) in _SCRIPT_NAMES


def is_program_name(name: str) -> bool:
    """Tell whether a system would run, install or mount a file of this name."""
    return extension(name) in _PROGRAM_NAMES


def is_mismatch(name: str, declared_type: str, found_type: str) -> bool:
    """Tell whether content of `found_type` is other than its name, or else its sender, promises.

    A promise that is not known here is never broken.
    """
    ending = extension(name)
    if ending in _PROMISED:
        return found_type not in _PROMISED[ending]
    if ending in _TEXT_NAMES or ending in _SCRIPT_NAMES:
        return found_type not in _TEXTS
    declared = declared_type.partition(";")[0].strip().lower()
    if declared == UNKNOWN_TYPE:
        return False
    promised = next((types for types in _PROMISED.values() if types[0].lower() == declared), None)
    if promised is not None:
        return found_type not in promised
    return declared.startswith("text/") and found_type not in _TEXTS
