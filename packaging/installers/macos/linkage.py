"""Judges all machine code of an app bundle as a Mac would before it runs: can it be loaded?

It repairs nothing; whatever is wrong is named and stops the build.
"""

from __future__ import annotations

from pathlib import Path

from installers.faults import BuildFault
from installers.macos import ARCHITECTURE, MINIMUM_SYSTEM
from installers.macos.code_signature import check_signature
from installers.macos.macho import Image, images, is_macho, resolve

SYSTEM_FOLDERS = ("/usr/lib/", "/System/Library/")
# Their makers built these for 15.0, yet promise 13.0 in the wheels' names: decisions/0024.
MARKED_LATER = frozenset(("PySide6", "shiboken6"))
_LATER = (15, 0)


def machine_files(app: Path) -> list[Path]:
    """Return every Mach-O file of a bundle, each once: links lead to what is listed anyway."""
    return [path for path in sorted(app.rglob("*")) if is_macho(path)]


def check_all(app: Path) -> int:
    """Check every Mach-O file of a bundle and return how many there are; raises BuildFault."""
    found = machine_files(app)
    for path in found:
        try:
            check(path, app)
        except BuildFault as fault:
            raise BuildFault(f"{path.relative_to(app)}: {fault}") from fault
    return len(found)


def check(path: Path, app: Path) -> None:
    """Check one file: its architecture, age, signature and all it loads; raises BuildFault."""
    read = images(path)
    if [image.architecture for image in read] != [ARCHITECTURE]:
        raise BuildFault("it is not for Apple silicon alone")
    image = read[0]
    newest = _LATER if _is_marked_later(path, app) else MINIMUM_SYSTEM
    if not (10, 0) <= image.minimum_system <= newest:
        raise BuildFault(f"it asks for macOS {image.minimum_system[0]}.{image.minimum_system[1]}")
    check_signature(path.read_bytes(), image)
    for load in image.loads:
        _check_load(load, path, image, app)


def _check_load(load: str, path: Path, image: Image, app: Path) -> None:
    """Follow a load command by the file's own search paths: it then works whoever loads it."""
    if load.startswith(SYSTEM_FOLDERS):
        return
    executable = app / "Contents" / "MacOS" / "Parley"
    found = resolve(load, path.resolve(), executable.resolve(), image.search_paths)
    if not found.resolve().is_relative_to(app.resolve()):
        raise BuildFault(f"it loads {load}, which is outside the bundle")
    if not is_macho(found.resolve()):
        raise BuildFault(f"it loads {load}, which is not in the bundle")


def _is_marked_later(path: Path, app: Path) -> bool:
    parts = path.relative_to(app).parts
    return any(part in MARKED_LATER and ".abi3." in path.name for part in parts)
