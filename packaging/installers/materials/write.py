"""Writes a release's papers into out/packages: bill of materials, notices, checksums.

It builds no bundle and asks for one first: papers tell what ships, not what might.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from installers.faults import BuildFault
from installers.inputs import REQUIREMENTS, System, site_packages, source_date_epoch
from installers.materials import notices
from installers.materials.bundles import existing
from installers.materials.checksums import (
    FILE_NAME,
    SIGNATURE_NAME,
    sign_sums,
    write_sums,
)
from installers.materials.declared import read_declared
from installers.materials.inventory import gather
from installers.materials.sbom import bill
from installers.materials.tools import gathered, judge
from installers.places import BUNDLES, PACKAGES, version

BundleSystem = Literal["linux", "windows", "macos"]
_PAPERS = frozenset((FILE_NAME, SIGNATURE_NAME, notices.FILE_NAME, "policies"))
_SITES: dict[str, System] = {"linux": "linux", "windows": "windows", "macos": "macos-arm64"}


def build() -> list[Path]:
    """Write all papers for the bundles at hand and return them; raises BuildFault."""
    sites = list(_sites())
    if not sites:
        raise BuildFault("There is nothing to write papers about yet: run make packages first.")
    PACKAGES.mkdir(parents=True, exist_ok=True)
    items = gather(read_declared(), sites).ordered()
    at_s = source_date_epoch()
    documents = {system: gathered(site, at_s) for system, site, _ in sites}
    text = bill(items, documents, locked_hashes(), version=version(), at_s=at_s)
    judge(text)
    written = [PACKAGES / f"Parley-{version()}.cdx.json", PACKAGES / notices.FILE_NAME]
    written[0].write_text(text, encoding="utf-8")
    written[1].write_text(notices.notices(items, version()), encoding="utf-8")
    sums = write_sums(PACKAGES, strangers(PACKAGES))
    signature = sign_sums(sums)
    return [*written, sums, *([signature] if signature else [])]


def strangers(folder: Path) -> list[str]:
    """Return and print the names in `folder` that no build of this version writes.

    What is left from another version, or was put there, must not come under our signature.
    """
    own = re.compile(rf"[Pp]arley[-_]{re.escape(version())}[-._].*")
    names = sorted(path.name for path in folder.iterdir() if not own.fullmatch(path.name))
    found = [name for name in names if name not in _PAPERS]
    if found:
        print(f"Not in {FILE_NAME}, since this build wrote none of it: {', '.join(found)}")
    return found


def add_notices(system: BundleSystem, folder: Path, bundle: Path | None = None) -> Path:
    """Write THIRD-PARTY-NOTICES.txt into `folder`, on what the bundle of one system holds.

    `bundle` is where that one lies, out/bundle/<system> else. Returns the file; raises
    BuildFault where a licence, a text or the owner of a native file is missing.
    """
    found = (system, site_packages(_SITES[system]), bundle or BUNDLES / system)
    items = gather(read_declared(), [found]).ordered()
    written = folder / notices.FILE_NAME
    written.write_text(notices.notices(items, version()), encoding="utf-8")
    return written


def locked_hashes(lock: Path = REQUIREMENTS / "run.txt") -> dict[str, tuple[str, ...]]:
    """Return the SHA-256 digests a lock admits for each distribution, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            name = line.partition("==")[0]
        elif digest := re.search(r"--hash=sha256:([0-9a-f]{64})", line):
            found[name] = (*found.get(name, ()), digest[1])
    return found


def _sites() -> Iterator[tuple[str, Path, Path]]:
    for system, bundle in existing(BUNDLES):
        yield system, site_packages(_SITES[system]), bundle
