"""Building the plain archive for Linux systems without Debian's packages.

It never packs another tree than the Debian package's, to be unpacked at `/` or anywhere else.
"""

from __future__ import annotations

from pathlib import Path

from installers.inputs import source_date_epoch
from installers.linux.archive import compressed_once, tar
from installers.linux.deb import DATA_CACHE
from installers.linux.tree import installed_tree
from installers.places import PACKAGES, version


def build() -> list[Path]:
    """Write out/packages/Parley-<version>-linux-x86_64.tar.xz anew; raises BuildFault."""
    with installed_tree() as root:
        packed = compressed_once(tar(root, source_date_epoch()), DATA_CACHE)
    PACKAGES.mkdir(parents=True, exist_ok=True)
    written = PACKAGES / f"Parley-{version()}-linux-x86_64.tar.xz"
    written.write_bytes(packed)
    return [written]
