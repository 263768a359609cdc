"""Finds the native files of a bundle and says of each whose it is: a wheel's or a component's.

It changes no file; a file that nobody claims is never passed over in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from installers.faults import BuildFault
from installers.materials.declared import Part, matches
from installers.materials.wheels import Wheel

SYSTEMS = ("linux", "windows", "macos")
# ELF, PE, Mach-O of one architecture (64 bit), Mach-O of several.
_MAGIC = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")


@dataclass(frozen=True, slots=True)
class Native:
    """One compiled file of a bundle; `path` is relative to the bundle's folder."""

    system: str
    path: PurePosixPath
    sha256: str
    place: Path


def native_files(system: str, folder: Path) -> list[Native]:
    """Return the compiled files below a bundle's folder in the order of their paths.

    They are known by their first bytes, whatever they are called; links are left out.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            if not file.read(4).startswith(_MAGIC):
                continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        relative = PurePosixPath(path.relative_to(folder).as_posix())
        found.append(Native(system, relative, digest, path))
    return found


class Owners:
    """Whose each native file is, over the wheels and components of one system."""

    def __init__(self, system: str, wheels: Iterable[Wheel], parts: Iterable[Part]) -> None:
        self._by_path: dict[PurePosixPath, Wheel] = {}
        self._by_name: dict[str, Wheel | None] = {}
        for wheel in wheels:
            for path in wheel.files:
                self._by_path[path] = wheel
                other = self._by_name.setdefault(path.name, wheel)
                if other is not wheel:
                    self._by_name[path.name] = None
        self._parts = [part for part in parts if not part.systems or system in part.systems]

    def owner(self, file: Native) -> Wheel | Part | None:
        """Return whose a file is; the surest ways are tried first."""
        path = file.path
        first = self._part(file, before_wheels=True)
        if first is not None:
            return first
        for start in range(len(path.parts)):
            wheel = self._by_path.get(PurePosixPath(*path.parts[start:]))
            if wheel is not None and (start < len(path.parts) - 1 or len(path.parts) == 1):
                return wheel
        return (
            self._at_the_top(path)
            or self._part(file, before_wheels=False)
            or self._by_name.get(path.name)
        )

    def _at_the_top(self, path: PurePosixPath) -> Wheel | None:
        """A module outside any package keeps its plain name in the bundle's library folder."""
        return self._by_path.get(PurePosixPath(path.name))

    def _part(self, file: Native, *, before_wheels: bool) -> Part | None:
        for part in self._parts:
            if part.before_wheels == before_wheels and part.claims(file.path, file.place):
                return part
        return None


@dataclass(frozen=True, slots=True)
class Claim:
    """One native file and its owner."""

    file: Native
    owner: Wheel | Part


def claims(files: Iterable[Native], owners: Owners, own: tuple[str, ...] = ()) -> list[Claim]:
    """Return each file of others with its owner; `own` are patterns of Parley's own files.

    Raises BuildFault that names those nobody claims.
    """
    found: list[Claim] = []
    unknown: list[str] = []
    for file in files:
        owner = owners.owner(file)
        if owner is not None:
            found.append(Claim(file, owner))
        elif not matches(file.path, own):
            unknown.append(f"{file.system}: {file.path}")
    if unknown:
        raise BuildFault(
            "Nobody says under which licence these files ship: name them in packaging/licences/"
            "components.toml, or leave them out of the bundle. " + "; ".join(unknown)
        )
    return found


def existing(bundles: Path) -> Iterator[tuple[str, Path]]:
    """Yield the systems whose bundle is built below `bundles`, with its folder."""
    for system in SYSTEMS:
        if (bundles / system).is_dir():
            yield system, bundles / system
