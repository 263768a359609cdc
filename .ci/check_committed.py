"""Checks that no file of the work tree holds a registry's address or a path of one machine.

It never looks at ignored files, and never changes one.
"""

import re
import sys
from collections.abc import Iterator

from source_files import ROOT, own_files

RULES = {
    "an address of a package registry": re.compile(
        r"https?://[^\s\"'<>]*(?:pypi\.|pythonhosted\.|npmjs\.|registry\.|deb\.debian|"
        r"archive\.ubuntu|proxy\.golang)"
    ),
    "an option that names a package index": re.compile(
        r"--(?:extra-)?index-url|--find[-]links|\bindex[-]url\s*=|\bfind[-]links\s*="
    ),
    "a path of one machine": re.compile(
        r"(?<![\w.~-])/(?:work|root|opt/wheels|opt/pypi)/|/tmp/[p]arley/"
        r"|/(?:home|Users)/(?!(?:me|user|name|alice|example)\b)\w+/"
    ),
}
FORBIDDEN_FILES = {"uv.lock", ".pypirc", "pip.conf", ".netrc", ".env"}


def findings() -> Iterator[str]:
    """Yield a line per breach; binary files are skipped."""
    for path in own_files():
        if path.name in FORBIDDEN_FILES:
            yield f"{path}: this file is never committed"
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            for what, pattern in RULES.items():
                if pattern.search(line):
                    yield f"{path}:{number}: holds {what}"


def main() -> int:
    """Print the breaches; return the exit status."""
    found = list(findings())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
