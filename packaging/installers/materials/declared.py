"""Reads which components ship besides our code and the wheels: packaging/licences/components.toml.

It does not look for them; it only says how each is recognised.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from installers.faults import BuildFault
from installers.materials.licences import Allowed
from installers.places import PACKAGING, ROOT

LICENCES = PACKAGING / "licences"


@dataclass(frozen=True, slots=True)
class Part:
    """One component of others; `files` claims files of a bundle, `inside` names what holds it.

    `version` and `marker` are regular expressions over a native file's bytes: the first one's
    group is the version, either one's match tells that the component is in that file. `look_in`
    narrows the files of a wheel in which it is looked for; `proof` has to match what `files` names.
    """

    name: str
    purl: str
    licence: str
    home: str
    texts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    version: str = ""
    version_of_name: str = ""
    marker: str = ""
    look_in: tuple[str, ...] = ()
    proof: str = ""
    pinned_by: str = ""
    data: str = ""
    dynamic: bool = False
    before_wheels: bool = False
    wheel_text: bool = False

    def claims(self, path: PurePosixPath, place: Path) -> bool:
        """Tell whether a native file of a bundle, which lies at `place`, is this component."""
        if not matches(path, self.files):
            return False
        return not self.proof or bool(re.search(self.proof.encode(), place.read_bytes()))

    def may_be_in(self, path: PurePosixPath) -> bool:
        """Tell whether a wheel's file is worth looking into."""
        if self.look_in:
            return any(fnmatchcase(path.name, pattern) for pattern in self.look_in)
        return path.suffix in (".so", ".pyd", ".dll", ".dylib") or ".so." in path.name

    def version_in(self, file: Path) -> str | None:
        """Return the version a file names, "" when the file holds it unnamed, else None."""
        if self.version_of_name and (named := re.search(self.version_of_name, file.name)):
            return named[1]
        if not self.version and not self.marker:
            return ""
        content = file.read_bytes()
        if self.version and (found := re.search(self.version.encode(), content)):
            return found[1].replace(b"\x00", b"").decode("ascii")
        return "" if self.marker and re.search(self.marker.encode(), content) else None


def matches(path: PurePosixPath, patterns: tuple[str, ...]) -> bool:
    """Tell whether a pattern fits: one with a slash the whole path, another the name alone."""
    return any(
        fnmatchcase(str(path) if "/" in pattern else path.name, pattern) for pattern in patterns
    )


@dataclass(frozen=True, slots=True)
class WheelWord:
    """What we say of a wheel that says it unclearly itself."""

    licence: str
    dynamic: bool = False
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Crate:
    """A Rust crate compiled into a wheel."""

    licence: str
    holder: str


@dataclass(frozen=True, slots=True)
class Declared:
    """The whole file."""

    allowed: Allowed
    own: tuple[str, ...]
    parts: tuple[Part, ...]
    wheels: dict[str, WheelWord] = field(default_factory=dict)
    crates: dict[str, Crate] = field(default_factory=dict)


def read_declared(folder: Path = LICENCES) -> Declared:
    """Read components.toml in `folder`; raises BuildFault where it is not as it should be."""
    path = folder / "components.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return Declared(
            Allowed(frozenset(raw["allowed"]["freely"]), frozenset(raw["allowed"]["dynamic"])),
            tuple(raw["own"]["files"]),
            tuple(Part(**_tuples(one)) for one in raw["component"]),
            {name: WheelWord(**_tuples(one)) for name, one in raw["wheel"].items()},
            {name: Crate(**one) for name, one in raw["crate"].items()},
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise BuildFault(f"{path.name} can't be used: {error}. Mend it.") from error


def licence_text(name: str, folder: Path = LICENCES) -> str:
    """Return a text named in components.toml: of `folder`, or by its path in the source tree."""
    path = ROOT / name if "/" in name else folder / name
    try:
        return path.read_text(encoding="utf-8").strip("\n")
    except OSError as error:
        raise BuildFault(
            f"The licence text {name} is missing: lay it into packaging/licences, with its source."
        ) from error


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
