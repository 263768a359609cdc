"""Gathers all that ships, for every system at hand: wheels, components, what is inside them.

It writes nothing, and lets nothing through whose licence may not ship.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from installers.faults import BuildFault
from installers.materials.bundles import Native, Owners, claims, native_files
from installers.materials.declared import Declared, Part, licence_text
from installers.materials.licences import Allowed, NoExpression
from installers.materials.wheels import Inner, Wheel, normalised, read_wheels
from installers.places import PACKAGING, ROOT


@dataclass(slots=True)
class Item:
    """One component of the product, over all systems in which it was found."""

    name: str
    version: str
    purl: str
    licence: str
    dynamic: bool = False
    home: str = ""
    holder: str = ""
    wheel: bool = False
    texts: tuple[str, ...] = field(default=(), repr=False)
    systems: set[str] = field(default_factory=set)
    files: list[Native] = field(default_factory=list, repr=False)
    inside: str = ""  # the key of what holds it

    @property
    def key(self) -> str:
        """Return what tells it from others; stable over builds."""
        version = f"@{self.version}" if self.version else ""
        return f"{self.inside}#{self.purl}{version}" if self.inside else f"{self.purl}{version}"


class Inventory:
    """What ships, by key; one system after the other is added."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self.items: dict[str, Item] = {}

    def add(self, system: str, site: Path, bundle: Path) -> None:
        """Add the wheels in `site` and all that the built `bundle` of a system holds.

        Raises BuildFault where a licence, a text or an owner of a file is missing.
        """
        wheels = read_wheels(site, self._declared)
        of_wheel = {wheel.name: self._of_wheel(system, wheel) for wheel in wheels}
        owners = Owners(system, wheels, self._declared.parts)
        found = claims(native_files(system, bundle), owners, self._declared.own)
        for claim in found:
            if isinstance(claim.owner, Wheel):
                of_wheel[claim.owner.name].files.append(claim.file)
        for part in self._declared.parts:
            self._files_of(system, part, [one.file for one in found if one.owner is part])
        for part in self._declared.parts:
            if part.systems and system not in part.systems:
                continue
            if part.data and list(ROOT.glob(part.data)):
                self._of_part(system, part, _data_version(part), None)
            for name in part.inside:
                self._inside(system, part, name, wheels)

    def faults(self) -> list[str]:
        """Return a sentence for each component whose licence may not ship."""
        allowed = self._declared.allowed
        return [words for item in self.items.values() if (words := _refusal(item, allowed))]

    def ordered(self) -> list[Item]:
        """Return everything in one fixed order: by name, what is inside after what holds it."""
        return sorted(self.items.values(), key=lambda item: (item.name.lower(), item.key))

    def _of_wheel(self, system: str, wheel: Wheel) -> Item:
        purl = f"pkg:pypi/{wheel.name}"
        item = Item(wheel.name, wheel.version, purl, wheel.licence, wheel.dynamic, wheel=True)
        item.texts = wheel.texts
        item = self._kept(system, item)
        for inner in wheel.inner:
            self._kept(system, _of_inner(inner, item.key))
        return item

    def _files_of(self, system: str, part: Part, files: list[Native]) -> None:
        """Add the files that are a component; those without a version go with the newest."""
        versions = [part.version_in(file.place) for file in files]
        newest = max((one for one in versions if one), default="") or _pinned(part, system)
        for file, version in zip(files, versions, strict=True):
            self._of_part(system, part, version or newest, None).files.append(file)

    def _inside(self, system: str, part: Part, holder: str, wheels: list[Wheel]) -> None:
        """Look for a component inside a wheel, or inside CPython's own files."""
        if holder == "cpython":
            for item in [one for one in self.items.values() if one.name == "CPython"]:
                for file in [one for one in item.files if one.system == system]:
                    found = part.version_in(file.place)
                    # A module that only calls a library names its functions, not its version.
                    if found or (found is not None and not part.version):
                        self._of_part(system, part, found, item)
            return
        for wheel in [one for one in wheels if one.name == holder]:
            places = [wheel.folder / path for path in wheel.files if part.may_be_in(path)]
            versions = [part.version_in(place) for place in places if place.is_file()]
            known = max((one for one in versions if one is not None), default=None)
            if known is not None:
                key = f"pkg:pypi/{wheel.name}@{wheel.version}"
                self._of_part(system, part, known, self.items[key], wheel)

    def _of_part(
        self, system: str, part: Part, version: str, inside: Item | None, wheel: Wheel | None = None
    ) -> Item:
        item = Item(part.name, version, part.purl, part.licence, part.dynamic, part.home)
        item.texts = tuple(licence_text(name) for name in part.texts)
        if part.wheel_text and wheel is not None:
            item.texts += wheel.texts
        item.inside = inside.key if inside else ""
        return self._kept(system, item)

    def _kept(self, system: str, item: Item) -> Item:
        kept = self.items.setdefault(item.key, item)
        kept.systems.add(system)
        return kept


def gather(declared: Declared, sites: Iterable[tuple[str, Path, Path]]) -> Inventory:
    """Return what ships in the given systems: (name, folder of its wheels, its bundle).

    Raises BuildFault that names every component whose licence or text is amiss.
    """
    inventory = Inventory(declared)
    for system, site, bundle in sites:
        inventory.add(system, site, bundle)
    faults = inventory.faults()
    if faults:
        raise BuildFault(" ".join(faults))
    return inventory


def _refusal(item: Item, allowed: Allowed) -> str:
    try:
        if allowed.permits(item.licence, dynamic=item.dynamic):
            return ""
    except NoExpression:
        return f"{item.name}: {item.licence!r} is no SPDX licence expression."
    return f"{item.name} is under {item.licence}, which may not ship with Parley."


def _of_inner(inner: Inner, inside: str) -> Item:
    item = Item(inner.name, inner.version, inner.purl, inner.licence.replace("/", " OR "))
    item.holder = inner.holder
    item.inside = inside
    return item


def _pinned(part: Part, system: str) -> str:
    """Return the version of what its own files don't name: by a lock, or of the building Python.

    The bundle for Linux takes along the Python that builds it.
    """
    if part.name == "CPython" and system == "linux":
        return platform.python_version()
    if not part.pinned_by:
        return ""
    lock = (PACKAGING / "requirements" / "packaging.txt").read_text(encoding="utf-8")
    for line in lock.splitlines():
        name, _, rest = line.partition("==")
        if normalised(name) == part.pinned_by:
            return rest.split()[0]
    return ""


def _data_version(part: Part) -> str:
    """Return the version that data of the source tree name in themselves (fonts do)."""
    if not part.version:
        return ""
    for path in sorted(ROOT.glob(part.data)):
        content = path.read_bytes().replace(b"\x00", b"")
        if found := re.search(part.version.encode(), content):
            return found[1].decode()
    return ""
