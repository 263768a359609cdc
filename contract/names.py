"""Owns how names that strangers chose (people's, groups', files') become fit to be shown and saved.

It never touches the text of a message: what a client writes is kept as it was written.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_CHARS = 200
MAX_FILE_NAME_CHARS = 160
UNNAMED_FILE = "file"

# Characters that reorder or hide what stands around them (UAX #9, UTR #36 section 3.1): with them
# "gpj.exe" reads "exe.jpg". The joiners U+200C and U+200D stay: scripts and emoji need them.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LONGEST_CHARS = 4_096
_CONTROLS = frozenset({"Cc", "Cs", "Cn"})
# What Windows, macOS or Linux does not take in a file's name, or takes for a folder.
_UNFIT_FOR_FILES = re.compile(r'[/\\:*?"<>|]')
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def shown_name(text: str, max_chars: int = MAX_NAME_CHARS) -> str:
    """Return a name without controls, marks of direction and the like, cut to `max_chars`.

    It may be empty.
    """
    seen = (" " if character in "\t\n\r" else character for character in text[:_LONGEST_CHARS])
    kept = "".join(one for one in seen if unicodedata.category(one) not in _CONTROLS)
    return _HIDDEN.sub("", kept).strip()[:max_chars].strip()


def file_name(text: str) -> str:
    """Return a file's name that names no folder and no device on any system; never empty."""
    name = _UNFIT_FOR_FILES.sub("_", shown_name(text, _LONGEST_CHARS)).rstrip(". ")
    if name.startswith("."):
        name = f"_{name[1:]}"
    if _DEVICES.fullmatch(name):
        name = f"_{name}"
    if len(name) > MAX_FILE_NAME_CHARS:
        stem, dot, suffix = name.rpartition(".")
        ending = f".{suffix}" if dot and stem and len(suffix) <= 16 else ""
        name = name[: MAX_FILE_NAME_CHARS - len(ending)].rstrip(". ") + ending
    return name or UNNAMED_FILE
