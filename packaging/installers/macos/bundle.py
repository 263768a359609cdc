"""Assembles Parley.app for Apple silicon out of the tree, macOS wheels and CPython's own files.

It runs nothing of what it assembles, and takes nothing from the machine's own Python.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from installers import inputs
from installers.faults import BuildFault
from installers.macos import icon, linkage
from installers.macos.bytecode import Compilation, compile_all
from installers.macos.launcher import build_launcher
from installers.macos.property_list import info_plist
from installers.macos.selection import LIBPYTHON, PYTHON, Chosen, Kind, chosen
from installers.macos.thinning import thin
from installers.places import BUNDLES, PACKAGING, ROOT
from installers.windows.runtime import take_library

APP = BUNDLES / "macos" / "Parley.app"
PROGRAMS = ("Parley", "parley-backend")
CACHE_TAG = "cpython-313"


def build() -> list[Path]:
    """Build out/bundle/macos/Parley.app and return it; raises BuildFault."""
    print("Putting Parley.app together")
    assemble(APP)
    return [APP]


def assemble(app: Path) -> None:
    """Build Parley.app at `app`, whose folder holds nothing else; raises BuildFault."""
    shutil.rmtree(app.parent, ignore_errors=True)
    contents = app / "Contents"
    resources = contents / "Resources"
    with tempfile.TemporaryDirectory() as folder:
        library, core = Path(folder) / "library", Path(folder) / "core"
        take_library(inputs.pinned("python-source"), library)
        take_core(inputs.pinned("panda3d-macos"), core)
        site = inputs.site_packages("macos-arm64")
        files = chosen(ROOT, site, library, core)
        _refuse_twins(files)
        place(files, resources / "lib" / PYTHON, resources / "start.pyc")
        thin(core / LIBPYTHON, contents / "Frameworks" / LIBPYTHON)
    link_frameworks(resources / "lib" / PYTHON / "site-packages")
    for name in PROGRAMS:
        build_launcher(contents / "MacOS" / name)
    (contents / "Info.plist").write_bytes(info_plist())
    (contents / "PkgInfo").write_bytes(b"APPL????")
    drawing = ROOT / "resources" / "icons" / "parley.svg"
    (resources / "Parley.icns").write_bytes(icon.icns(drawing))
    _add_notices(resources, app.parent)
    print(f"Checked {linkage.check_all(app)} files of machine code")
    settle(app, inputs.source_date_epoch())


def take_core(wheel: Path, folder: Path) -> None:
    """Unpack CPython's compiled part, the files of deploy_libs, into a new folder."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name)
            if path.parent.name == "deploy_libs" and path.name:
                (folder / path.name).write_bytes(archive.read(name))
    if not (folder / LIBPYTHON).is_file():
        raise BuildFault(f"{wheel.name} holds no {LIBPYTHON}; pin a wheel that does.")


def place(files: list[Chosen], target: Path, start: Path) -> None:
    """Put chosen files where they belong below `target`, and compile what is Python."""
    work: list[Compilation] = []
    for one in files:
        path = target / one.target
        path.parent.mkdir(parents=True, exist_ok=True)
        match one.kind:
            case Kind.FILE:
                shutil.copyfile(one.source, path)
            case Kind.MACHINE:
                thin(one.source, path)
            case Kind.CODE:
                work.append(Compilation(one.source, path.with_suffix(".pyc"), str(one.target)))
            case Kind.REPLACEABLE_CODE:
                shutil.copyfile(one.source, path)
                cached = path.parent / "__pycache__" / f"{path.stem}.{CACHE_TAG}.pyc"
                cached.parent.mkdir(exist_ok=True)
                work.append(Compilation(one.source, cached, str(one.target), is_checked=True))
    work.append(Compilation(PACKAGING / "macos" / "start.py", start, "start.py"))
    compile_all(work)


def link_frameworks(site: Path) -> None:
    """Give each framework its links, which wheels can't hold: Versions/Current and those to it."""
    for framework in sorted((site / "PySide6" / "Qt" / "lib").glob("*.framework")):
        (framework / "Versions" / "Current").symlink_to("A")
        for name in (framework.stem, "Resources"):
            if (framework / "Versions" / "A" / name).exists():
                (framework / name).symlink_to(f"Versions/Current/{name}")


def settle(app: Path, time_s: int) -> None:
    """Give every file and folder the same time, owner's rights and no more."""
    for path in [*sorted(app.rglob("*"), reverse=True), app]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        os.utime(path, (time_s, time_s), follow_symlinks=False)


def _refuse_twins(files: list[Chosen]) -> None:
    """Raise where two files would be one on a Mac, whose disks know no upper and lower case."""
    places: set[str] = set()
    for one in files:
        place_there = str(one.target).lower()
        if place_there in places:
            raise BuildFault(f"Two files would stand at {one.target}: leave one out.")
        places.add(place_there)


def _add_notices(resources: Path, bundle: Path) -> None:
    from installers.materials.write import add_notices

    add_notices("macos", resources, bundle)
