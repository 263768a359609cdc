"""A bundle of a few kilobytes with two real programs: packages of it are built in seconds.

It never stands in for Parley itself: tests of what Parley does take the real bundle.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TOOLS = ("wixl", "msiinfo", "msibuild", "msiextract", "x86_64-w64-mingw32-gcc")

_PROGRAM = """
#include <windows.h>
int WINAPI WinMain(HINSTANCE one, HINSTANCE other, LPSTR line, int shown) { return 0; }
"""
_VERSION = """
#include <windows.h>
VS_VERSION_INFO VERSIONINFO
FILEVERSION 0,1,0,7
BEGIN
    BLOCK "VarFileInfo"
    BEGIN
        VALUE "Translation", 0x409, 1200
    END
END
"""
# Names that are no short ones, alike in their first letters; a sign beyond ASCII; no bytes at
# all; two large files that are equal.
_PLAIN_FILES = {
    "_internal/PySide6/translations/a long file name.json": "one",
    "_internal/PySide6/translations/a long file nam.json": "two",
    "_internal/Readme.txt": "three",
    "_internal/resources/Terms – closing.pdf": "four",
    "_internal/empty.py": "",
    "parley.pkg": "modules" * 50_000,
    "parley-backend.pkg": "modules" * 50_000,
}


def missing_tools() -> list[str]:
    """Return the tools without which no package can be built here."""
    return [name for name in TOOLS if shutil.which(name) is None]


def make_small_bundle(folder: Path) -> Path:
    """Compile the bundle below `folder`; return its path."""
    bundle = folder / "bundle"
    bundle.mkdir(parents=True)
    (folder / "program.c").write_text(_PROGRAM)
    (folder / "version.rc").write_text(_VERSION)
    windres = ["x86_64-w64-mingw32-windres", "version.rc", "-O", "coff", "-o", "version.o"]
    subprocess.run(windres, cwd=folder, check=True)
    options = ["-Os", "-s", "-mwindows", "-Wl,--no-insert-timestamp"]
    for name, parts in (
        ("parley.exe", ["program.c", "version.o"]),
        ("parley-backend.exe", ["program.c"]),
    ):
        command = ["x86_64-w64-mingw32-gcc", *options, *parts, "-o", str(bundle / name)]
        subprocess.run(command, cwd=folder, check=True)
    for name, text in _PLAIN_FILES.items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_text(text)
    return bundle


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything below a folder by its path: a file's content, None for a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
