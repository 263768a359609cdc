"""Chooses the files of Parley, its libraries and Python that go into the app bundle.

It copies nothing; what is chosen of Parley, Qt and the libraries stands in installers/contents.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from installers import contents
from installers.macos.macho import is_macho

PYTHON = "python3.13"
SITE = PurePosixPath("site-packages")
DYNLOAD = PurePosixPath("lib-dynload")
LIBPYTHON = "libpython3.13.dylib"
# Under the LGPL: whoever has the app may put another version in their place.
REPLACEABLE = frozenset(("PySide6", "shiboken6", "stdnum"))
# Of other systems, of libraries under the GPL, or there to test Python itself.
_LIBRARY_LEFT_OUT = frozenset(
    (
        *("_android_support", "_ios_support", "_aix_support", "__hello__", "__phello__"),
        *("antigravity", "this", "dbm", "_pyrepl", "site-packages"),
    )
)
_NOT_RUN = frozenset(("__pycache__", "tests"))  # folders of wheels
# Never imported by Parley on a Mac, though it lies in the wheels.
_THIRD_PARTY_LEFT_OUT = (
    *("sqlalchemy.orm", "sqlalchemy.ext.", "starlette.testclient", "click.testing"),
    *("psutil._pslinux", "psutil._pswindows", "psutil._psbsd", "psutil._pssunos", "psutil._psaix"),
)
_COMPILED_LEFT_OUT = ("_test", "_curses", "_dbm", "_gdbm", "_tkinter", "_xxtest", "_ctypes_test")
_COMPILED_LEFT_OUT_ALSO = ("xx", "readline", "libncurses", "libpanel", "libreadline", "libgdbm")


class Kind(Enum):
    """How a file gets into the bundle."""

    CODE = "byte code alone"
    REPLACEABLE_CODE = "source, with byte code that is checked against it"
    MACHINE = "machine code, thinned"
    FILE = "as it is"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One file: where it is, and where it goes below Resources/lib/python3.13."""

    kind: Kind
    source: Path
    target: PurePosixPath


def chosen(root: Path, site: Path, library: Path, core: Path) -> list[Chosen]:
    """Return all files that go below lib/python3.13, sorted by where they go.

    `root` is the source tree, `site` the unpacked wheels, `library` Python's pure library, `core`
    the unpacked deploy_libs with its compiled part. No two have the same place on macOS, where
    upper and lower case are one.
    """
    found = [
        *_first_party(root),
        *_third_party(site),
        *_library(library),
        *_compiled(core),
    ]
    return sorted(found, key=lambda one: one.target)


def _first_party(root: Path) -> Iterator[Chosen]:
    for name in contents.first_party_modules(root):
        path = PurePosixPath(*name.split("."))
        source = root / path / "__init__.py"
        if not source.is_file():
            source = (root / path).with_suffix(".py")
        yield Chosen(Kind.CODE, source, SITE / source.relative_to(root).as_posix())
    for source, target in contents.data_files(root):
        yield Chosen(Kind.FILE, source, SITE / target)


def _third_party(site: Path) -> Iterator[Chosen]:
    metadata = tuple(name.replace("-", "_") + "-" for name in contents.METADATA)
    for source in sorted(site.rglob("*")):
        path = PurePosixPath(source.relative_to(site).as_posix())
        if not source.is_file() or not _NOT_RUN.isdisjoint(path.parts):
            continue
        if path.parts[0].endswith(".dist-info"):
            if path.parts[0].startswith(metadata) and path.name in ("METADATA", "entry_points.txt"):
                yield Chosen(Kind.FILE, source, SITE / path)
        elif path.parts[0] != "bin" and contents.is_wanted(path, "macos"):
            if (kind := _kind(source, path)) is not None:
                yield Chosen(kind, source, SITE / path)
    for source, target in contents.third_party_data(site, "macos"):
        yield Chosen(Kind.FILE, source, SITE / target)


def _kind(source: Path, path: PurePosixPath) -> Kind | None:
    """Tell how a library's file goes along, None where it doesn't."""
    module = _module(path)
    if contents.is_left_out(module) or module.startswith(_THIRD_PARTY_LEFT_OUT):
        return None
    if path.suffix == ".py":
        return Kind.REPLACEABLE_CODE if path.parts[0] in REPLACEABLE else Kind.CODE
    if any(part.endswith(".framework") for part in path.parts):
        return _framework_kind(path)
    return Kind.MACHINE if is_macho(source) else None


def _framework_kind(path: PurePosixPath) -> Kind | None:
    """Choose a framework's library and its papers from Versions/A; wheels hold them twice."""
    at = next(number for number, part in enumerate(path.parts) if part.endswith(".framework"))
    inner = path.parts[at + 1 :]
    if inner[:2] != ("Versions", "A"):
        return None
    if inner[2:] == (path.parts[at].removesuffix(".framework"),):
        return Kind.MACHINE
    return Kind.FILE if inner[2:3] == ("Resources",) else None


def _library(library: Path) -> Iterator[Chosen]:
    for source in sorted(library.rglob("*.py")):
        path = PurePosixPath(source.relative_to(library).as_posix())
        module = _module(path)
        if module.split(".")[0] not in _LIBRARY_LEFT_OUT and not contents.is_left_out(module):
            yield Chosen(Kind.CODE, source, path)


def _compiled(core: Path) -> Iterator[Chosen]:
    for source in sorted(core.iterdir()):
        left_out = source.name.startswith(_COMPILED_LEFT_OUT + _COMPILED_LEFT_OUT_ALSO)
        if source.suffix == ".py":
            yield Chosen(Kind.CODE, source, PurePosixPath(source.name))
        elif source.name != LIBPYTHON and not left_out:
            yield Chosen(Kind.MACHINE, source, DYNLOAD / source.name)


def _module(path: PurePosixPath) -> str:
    """Return the name by which Python imports a file."""
    parts = (*path.parts[:-1], path.name.split(".")[0])
    return ".".join(parts).removesuffix(".__init__")
