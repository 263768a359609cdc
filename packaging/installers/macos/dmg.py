"""Packs Parley.app into the disk image from which it is dragged to Applications.

It changes nothing in the app; signing and notarising the image is done on a Mac.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from installers import inputs
from installers.faults import BuildFault
from installers.macos import bundle, udif
from installers.macos.hfs import make_volume
from installers.places import PACKAGES, version

APPLICATIONS = Path("/Applications")


def build() -> list[Path]:
    """Build out/packages/Parley-<version>.dmg of the app that stands; raises BuildFault."""
    if not bundle.APP.is_dir():
        bundle.build()
    target = PACKAGES / f"Parley-{version()}.dmg"
    pack(bundle.APP, target, inputs.source_date_epoch())
    return [target]


def pack(app: Path, target: Path, time_s: int) -> None:
    """Write a disk image with one app and a link to /Applications, dated `time_s`.

    It is read again before it takes its place; raises BuildFault.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        link = Path(folder) / APPLICATIONS.name
        link.symlink_to(APPLICATIONS)
        volume = Path(folder) / "volume"
        contents = {app.name: app, link.name: link}
        make_volume(f"Parley {version()}", contents, volume, time_s)
        packed = Path(folder) / "image"
        udif.write(volume, packed)
        if udif.read(packed) != volume.read_bytes():
            raise BuildFault("The disk image does not hold what was packed: build it again.")
        packed.replace(target)
