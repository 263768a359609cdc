"""Takes the code for one architecture out of a fat Mach-O file, as it was signed.

It changes no byte of that code, so each slice's own signature stays sound.
"""

from __future__ import annotations

from pathlib import Path

from installers.faults import BuildFault
from installers.macos import ARCHITECTURE
from installers.macos.macho import slices


def thin(source: Path, target: Path) -> None:
    """Write the Apple-silicon code of `source` to `target`, runnable; raises BuildFault."""
    data = source.read_bytes()
    for one in slices(data):
        if one.architecture == ARCHITECTURE:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data[one.offset_bytes : one.offset_bytes + one.size_bytes])
            target.chmod(0o755)
            return
    raise BuildFault(f"{source.name} holds no code for Apple silicon: take another wheel.")
