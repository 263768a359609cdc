"""The command line of the builds: one command for each thing that is built.

It never builds what was not asked for, except what the asked thing is made of, and leaves no
checksums of files that it builds anew: `materials` writes them, last.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from installers.faults import BuildFault
from installers.places import ROOT, SUMS, SUMS_SIGNATURE

COMMANDS = {
    "bundle-linux": "installers.linux.bundle",
    "bundle-windows": "installers.windows.bundle",
    "bundle-macos": "installers.macos.bundle",
    "deb": "installers.linux.deb",
    "tarball": "installers.linux.tarball",
    "msi": "installers.windows.msi",
    "dmg": "installers.macos.dmg",
    "policies": "installers.policies.write",
    "materials": "installers.materials.write",
}


def main(arguments: list[str]) -> int:
    """Build what the arguments name, in their order; return the exit status."""
    unknown = [name for name in arguments if name not in COMMANDS]
    if unknown or not arguments:
        print(f"Name what to build: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    SUMS.unlink(missing_ok=True)
    SUMS_SIGNATURE.unlink(missing_ok=True)
    for name in arguments:
        try:
            written: list[Path] = importlib.import_module(COMMANDS[name]).build()
        except BuildFault as fault:
            print(f"{name}: {fault}", file=sys.stderr)
            return 1
        for path in written:
            print(f"{name}: wrote {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
