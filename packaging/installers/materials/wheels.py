"""Reads what the wheels of one system say of themselves: licence, texts, files, what is inside.

It takes a wheel's word only where that is an SPDX expression; else components.toml speaks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PathDistribution
from pathlib import Path, PurePosixPath
from typing import Any

from installers.contents import is_left_out
from installers.faults import BuildFault
from installers.materials.declared import Declared, licence_text
from installers.materials.licences import is_expression

_TEXT_NAME = re.compile(r"licen[cs]e|copying|notice", re.IGNORECASE)
_CRATE = re.compile(rb"registry/src/[^/\x00]+/([A-Za-z0-9_-]+?)-(\d+\.\d+\.\d+)[^/\x00]*/")


@dataclass(frozen=True, slots=True)
class Inner:
    """A part compiled into a wheel."""

    name: str
    version: str
    purl: str
    licence: str
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One distribution that ships, as it lies unpacked in `folder`."""

    name: str
    version: str
    licence: str
    dynamic: bool
    folder: Path
    files: tuple[PurePosixPath, ...]
    texts: tuple[str, ...] = field(repr=False)
    inner: tuple[Inner, ...] = ()


def normalised(name: str) -> str:
    """Return a distribution's name as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_wheels(site: Path, declared: Declared) -> list[Wheel]:
    """Return the wheels unpacked in `site` that ship, by name; raises BuildFault.

    What consists of nothing but modules that are left out of every bundle does not ship.
    """
    found = [
        _read(PathDistribution(info), site, declared)
        for info in sorted(site.glob("*.dist-info"))
        if _ships(PathDistribution(info))
    ]
    return sorted(found, key=lambda wheel: wheel.name)


def _ships(distribution: PathDistribution) -> bool:
    tops = set()
    for path in distribution.files or ():
        if path.parts[0].endswith((".dist-info", ".data", ".libs")) or path.parts[0] == "..":
            continue
        tops.add(path.parts[0].split(".")[0])
    return any(not is_left_out(name) for name in tops)


def _read(distribution: PathDistribution, site: Path, declared: Declared) -> Wheel:
    name = normalised(distribution.name)
    files = tuple(PurePosixPath(path.as_posix()) for path in distribution.files or ())
    word = declared.wheels.get(name)
    licence = word.licence if word else _field(distribution, "License-Expression")
    if not licence and is_expression(_field(distribution, "License")):
        licence = _field(distribution, "License")
    if not licence:
        raise BuildFault(
            f"{name} names no licence by an SPDX expression: say in packaging/licences/"
            "components.toml, under [wheel], which one its texts are."
        )
    texts = tuple(licence_text(one) for one in word.texts) if word else ()
    texts += tuple(_own_texts(site, files))
    if not texts:
        raise BuildFault(
            f"{name} brings no licence text: lay one into packaging/licences and name it in "
            "components.toml, under [wheel]."
        )
    inner = tuple(_inner(site, files, declared))
    dynamic = bool(word and word.dynamic)
    return Wheel(name, distribution.version, licence, dynamic, site, files, texts, inner)


def _field(distribution: PathDistribution, name: str) -> str:
    return str(distribution.metadata[name]) if name in distribution.metadata else ""


def _own_texts(site: Path, files: tuple[PurePosixPath, ...]) -> Iterator[str]:
    for path in sorted(files):
        in_info = path.parts[0].endswith(".dist-info")
        if in_info and (_TEXT_NAME.search(path.name) or "licenses" in path.parts):
            text = (site / path).read_text(encoding="utf-8", errors="replace").strip("\n")
            if text.strip():
                yield text


def _inner(site: Path, files: tuple[PurePosixPath, ...], declared: Declared) -> Iterator[Inner]:
    """Yield what is compiled in: by the wheel's own bill (PEP 770), else by crates it names."""
    compiled = [
        path for path in files if path.suffix in (".so", ".pyd") and (site / path).is_file()
    ]
    boms = [path for path in files if "sboms" in path.parts and path.suffix == ".json"]
    if compiled and boms:
        for path in sorted(boms):
            yield from _of_bill(json.loads((site / path).read_text(encoding="utf-8")))
        return
    crates = {
        (found[1].decode(), found[2].decode())
        for path in compiled
        for found in _CRATE.finditer((site / path).read_bytes())
    }
    for name, version in sorted(crates):
        crate = declared.crates.get(name)
        if crate is None:
            raise BuildFault(
                f"The crate {name} {version} is compiled into {compiled[0]}: name its licence in "
                "packaging/licences/components.toml, under [crate]."
            )
        purl = f"pkg:cargo/{name}@{version}"
        yield Inner(name, version, purl, crate.licence, crate.holder)


def _of_bill(bill: dict[str, Any]) -> Iterator[Inner]:
    for one in bill.get("components", []):
        licence = " AND ".join(
            choice.get("expression") or choice.get("license", {}).get("id", "")
            for choice in one.get("licenses", [])
        )
        # What has no licence of its own there is described in components.toml, as OpenSSL is.
        if licence:
            holder = str(one.get("author") or "")
            purl = str(one.get("purl", "")).partition("?")[0]
            version = str(one.get("version", ""))
            yield Inner(str(one["name"]), version, purl, licence, holder)
