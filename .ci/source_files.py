"""Finds the work tree's own files and reads the sentences their docstrings open with.

It never judges a file; the checks beside it do.
"""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("contract", "backend_client", "app", "ui", "backend", "resources")
_SENTENCE_END = re.compile(r"(?<![\s.][a-zA-Z])(?<!e\.g)(?<!i\.e)[.!?](?=[\"')]?(?:\s|$))")


def own_files(suffix: str = "") -> list[Path]:
    """Return tracked and not yet tracked, not ignored files, relative to the root, sorted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = {Path(name) for name in out.split("\0") if name.endswith(suffix) and name}
    return sorted(path for path in paths if (ROOT / path).is_file())


def own_modules() -> list[Path]:
    """Return the Python modules of the rooms, the tests and the tooling."""
    tops = {*ROOMS, "tests", "packaging", ".ci"}
    return [path for path in own_files(".py") if path.parts[0] in tops]


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a module; raise SyntaxError where it has none."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def sentences(docstring: str | None) -> list[str]:
    """Split a docstring into its sentences, each with single spaces."""
    text = " ".join((docstring or "").split())
    found: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        found.append(text[start : match.end()].strip())
        start = match.end()
    return found
