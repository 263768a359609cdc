"""Taking out of a bundle where the Python stands on the machine that builds it.

It changes nothing that a packaged program asks for, and imports the standard library alone.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

# CPython's own default, by PEP 615; zoneinfo is all that asks for it in a bundle.
_TZPATH = "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo"
_NOWHERE = b"/nonexistent"


def write_configuration(folder: Path) -> None:
    """Write into `folder` what stands in for the module that says how this Python was built.

    That module names the builder's folders and compilers dozens of times. Windows has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        return
    name: str = sysconfig._get_sysconfigdata_name()  # type: ignore[attr-defined] # as PyInstaller
    words = f'build_time_vars = {{"TZPATH": "{_TZPATH}"}}\n'
    (folder / f"{name}.py").write_text(words, encoding="utf-8")


def drop_prefix(library: Path, prefix: Path) -> bool:
    """Take a folder of the builder's own out of Python's library; tell whether it was there.

    A packaged program is told where its modules are and never looks there. The folder's last part
    stays, since a linker may let other texts, such as the version, be that text's end.
    """
    text = bytes(prefix)
    content = library.read_bytes()
    known = len(prefix.parts) < 3 or prefix.is_relative_to("/usr")
    if known or b"\0" + text + b"\0" not in content:
        return False
    end = b"/" + prefix.name.encode()
    filler = len(text) - len(end) - len(_NOWHERE)
    start = _NOWHERE if filler >= 0 else b""
    padded = start + b"/" * (len(text) - len(end) - len(start)) + end
    library.write_bytes(content.replace(text, padded))
    return True
