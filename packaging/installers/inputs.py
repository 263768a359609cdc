"""What the builds take from outside: wheels for each system, tools, pinned files, the time.

It does not take a file whose hash isn't written down, and changes nothing but the cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from installers import contents
from installers.downloads import Pinned, download
from installers.faults import BuildFault
from installers.patience import run_patiently
from installers.places import CACHE, DOWNLOADS, PACKAGING, ROOT, TOOLS

System = Literal["linux", "windows", "macos-arm64", "macos-x86_64"]

INPUTS = PACKAGING / "inputs.toml"
REQUIREMENTS = PACKAGING / "requirements"

# uv's names of the platforms; the Linux one is the oldest that Qt's wheels run on.
_PLATFORMS: dict[System, str] = {
    "linux": "x86_64-manylinux_2_34",
    "windows": "x86_64-pc-windows-msvc",
    "macos-arm64": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
}
# They write the editable install of a work tree; nothing that runs imports them.
_NOT_RUN = frozenset(
    ("hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers", "tomlkit")
)


def site_packages(system: System) -> Path:
    """Return a folder with all wheels Parley runs on, unpacked, for one system.

    Of Qt and others it holds what contents.py lets go along. It downloads at the first call
    and whenever the requirements or that list change; raises BuildFault.
    """
    text = _without((REQUIREMENTS / "run.txt").read_text(encoding="utf-8"), _NOT_RUN)
    return _unpacked(CACHE / "site", system, text, _cut)


def build_tools(system: System) -> Path:
    """Return a folder with the build tools (PyInstaller, CycloneDX) for one system's Python.

    They run with PYTHONPATH on that folder. Raises BuildFault.
    """
    text = (REQUIREMENTS / "packaging.txt").read_text(encoding="utf-8")
    return _unpacked(TOOLS / "python", system, text, None)


def python_version(system: System) -> str:
    """Return the Python, such as `3.13`, whose wheels are gathered for a system."""
    chosen = str(_inputs()["python"][system])
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return own if chosen == "own" else chosen


def pinned(name: str) -> Path:
    """Return a file of packaging/inputs.toml, downloaded once, its hash checked at each call.

    Raises BuildFault where it is not named there, can't be had, or is another file than meant.
    """
    for entry in _inputs().get("input", []):
        if entry["name"] == name:
            return download(Pinned(**entry), DOWNLOADS)
    raise BuildFault(f"packaging/inputs.toml has no input named {name!r}: write it down there.")


def source_date_epoch() -> int:
    """Return the time that everything built bears: the last commit's, in seconds since 1970.

    SOURCE_DATE_EPOCH in the environment replaces it, as for a tree without git.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given.isdigit():
        return int(given)
    try:
        told = subprocess.run(
            ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildFault("git tells no last commit: set SOURCE_DATE_EPOCH instead.") from error
    return int(told.stdout)


def _inputs() -> dict[str, Any]:
    return tomllib.loads(INPUTS.read_text(encoding="utf-8"))


def _without(requirements: str, names: Iterable[str]) -> str:
    """Leave requirements out of a hashed file; each takes a line and its indented hashes."""
    left_out = frozenset(names)
    kept: list[str] = []
    keeping = True
    for line in requirements.splitlines():
        if line and not line[0].isspace():
            keeping = line.partition("==")[0] not in left_out
        if keeping:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _cut(site: Path, system: System) -> None:
    """Remove what does not go along; folders that get empty, too."""
    names: dict[System, contents.QtSystem] = {"linux": "linux", "windows": "windows"}
    qt_system = names.get(system, "macos")
    for path in sorted(site.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif not contents.is_wanted(PurePosixPath(path.relative_to(site).as_posix()), qt_system):
            path.unlink()


def _unpacked(
    folder: Path, system: System, requirements: str, cut: Callable[[Path, System], None] | None
) -> Path:
    """Return the requirements unpacked below `folder`, keyed by all they depend on."""
    if system not in get_args(System):
        raise BuildFault(f"There is no system {system!r} to build for.")
    python = python_version(system)
    rules = Path(contents.__file__).read_text(encoding="utf-8") if cut else ""
    parts = "\0".join((python, _PLATFORMS[system], requirements, rules))
    done = folder / f"{system}-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"
    if done.is_dir():
        return done
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as new:
        wanted = Path(new) / "requirements.txt"
        wanted.write_text(requirements, encoding="utf-8")
        _install(wanted, Path(new) / "site", system, python)
        if cut:
            cut(Path(new) / "site", system)
        for outdated in folder.glob(f"{system}-*"):
            shutil.rmtree(outdated, ignore_errors=True)
        (Path(new) / "site").rename(done)
    return done


def _install(requirements: Path, target: Path, system: System, python: str) -> None:
    print(f"Gathering the wheels for {system} on Python {python} (each checked against its hash)")
    options = ["--quiet", "--require-hashes", "--only-binary", ":all:"]
    options += ["--python-platform", _PLATFORMS[system], "--python-version", python]
    command = [sys.executable, "-m", "uv", "pip", "install", *options, "--link-mode", "copy"]
    command += ["--target", str(target), "-r", str(requirements)]
    if run_patiently(command, captured=False).returncode != 0:
        raise BuildFault(
            f"The wheels for {system} can't be gathered. Is the package index within reach? "
            "uv has said above what it missed."
        )
