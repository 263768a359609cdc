"""Runs every check that is not a test and says at the end which of them failed.

It never stops at the first failure and never changes a file.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CI = sorted(str(path) for path in (ROOT / ".ci").glob("*.py"))
PYTHON = sys.executable

CHECKS: dict[str, list[str]] = {
    "ruff check": [PYTHON, "-m", "ruff", "check", "--quiet", "."],
    "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."],
    "mypy": [PYTHON, "-m", "mypy", "--no-error-summary"],
    "mypy of the tooling": [PYTHON, "-m", "mypy", "--no-error-summary", *CI],
    "import arrows": [
        str(Path(PYTHON).with_name("lint-imports")),
        "--no-cache",
    ],
    "style": [PYTHON, ".ci/check_style.py"],
    "file overview": [PYTHON, ".ci/file_overview.py", "--check"],
    "committed files": [PYTHON, ".ci/check_committed.py"],
}


def run(name: str, command: list[str]) -> bool:
    """Run one check, print its output only where it fails, and tell whether it passed."""
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    passed = done.returncode == 0
    took = time.monotonic() - started
    print(f"{'ok    ' if passed else 'FAILED'} {name} ({took:.1f} s)", flush=True)
    if not passed:
        print(done.stdout.strip() or "(no output; see the tool's own check mode)", flush=True)
    return passed


def main() -> int:
    """Run all checks, or those whose name holds a word of the command line."""
    words = sys.argv[1:]
    chosen = {
        name: command
        for name, command in CHECKS.items()
        if not words or any(word in name for word in words)
    }
    failed = [name for name, command in chosen.items() if not run(name, command)]
    if failed:
        print(f"make check: {len(failed)} of {len(chosen)} failed: {', '.join(failed)}")
        return 1
    print(f"make check: all {len(chosen)} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
