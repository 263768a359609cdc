"""Building the folder with both programs for Linux, with PyInstaller and this machine's Python.

It never runs what it built, and takes no library along that every Linux has of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from installers import inputs
from installers.builders_python import drop_prefix
from installers.faults import BuildFault
from installers.linux.elf import elf_files, strip
from installers.linux.icu_data import cut_icu_data
from installers.linux.search_path import drop_absolute_paths
from installers.places import BUNDLES, CACHE, PACKAGING

BUNDLE = BUNDLES / "linux"
PROGRAMS = ("parley", "parley-backend")
MAX_BUNDLE_BYTES = 140_000_000


def build() -> list[Path]:
    """Build out/bundle/linux anew; raises BuildFault."""
    site, tools = inputs.site_packages("linux"), inputs.build_tools("linux")
    work = CACHE / "work" / "linux"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _run_pyinstaller(_python(site), (tools, PACKAGING), work)
    built = work / "dist" / "parley"
    compiled = [path for path in elf_files(built) if path.parent != built]
    strip(compiled)
    for path in compiled:
        drop_absolute_paths(path)
    for library in built.rglob("libpython3*.so*"):
        drop_prefix(library, Path(sys.base_prefix))
    _share_modules(built)
    for library in built.rglob("libicudata.so.*"):
        cut_icu_data(library)
    _normalise(built)
    _check(built)
    shutil.rmtree(BUNDLE, ignore_errors=True)
    BUNDLE.parent.mkdir(parents=True, exist_ok=True)
    built.rename(BUNDLE)
    shutil.rmtree(work)
    return [BUNDLE]


def _python(site: Path) -> Path:
    """Return a Python of the kind that runs the build; all it has besides its own is `site`.

    PyInstaller keeps libraries beside their packages only where those are site-packages.
    """
    folder = CACHE / "work" / "linux-python"
    base = str(getattr(sys, "_base_executable", sys.executable))
    subprocess.run([base, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    packages.rmdir()
    packages.symlink_to(site)
    return folder / "bin" / "python"


def _run_pyinstaller(python: Path, path: tuple[Path, ...], work: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PARLEY_", "QT_"))
    }
    environment |= {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYINSTALLER_CONFIG_DIR": str(CACHE / "pyinstaller"),
        # Modules lie in it as they are: Parley starts sooner, and the packages pack them better.
        "PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "0",
        "SOURCE_DATE_EPOCH": str(inputs.source_date_epoch()),
        "LC_ALL": "C.UTF-8",
    }
    command = [str(python), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(work / "dist"), "--workpath", str(work / "build")]
    log = CACHE / "pyinstaller-linux.log"
    with log.open("wb") as file:
        done = subprocess.run(
            [*command, str(PACKAGING / "app.spec")],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        raise BuildFault(
            f"PyInstaller stopped; all it said stands in {log}. On Debian its Python needs "
            f"libpython3-dev. Its last words: {' / '.join(last)}"
        )


def _share_modules(folder: Path) -> None:
    """Let the second program read its modules where the first one does, and drop odd links.

    PyInstaller links each library a second time at the top, where Qt would take the top for
    its own folder and miss its plug-ins.
    """
    first, second = (folder / f"{name}.pkg" for name in PROGRAMS)
    if first.read_bytes() != second.read_bytes():
        raise BuildFault("The two programs carry other modules than each other: see app.spec.")
    second.unlink()
    second.symlink_to(first.name)
    for path in (folder / "_internal").glob("lib*.so*"):
        if path.is_symlink():
            path.unlink()


def _normalise(folder: Path) -> None:
    """Give every file the same right to be read, and to be run only where it is a program."""
    for path in folder.rglob("*"):
        if path.is_symlink():
            continue
        runs = path.is_dir() or (path.parent == folder and path.name in PROGRAMS)
        path.chmod(0o755 if runs else 0o644)
    folder.chmod(0o755)


def _check(folder: Path) -> None:
    for name in PROGRAMS:
        if not (folder / name).is_file():
            raise BuildFault(f"The bundle has no {name}: look at packaging/app.spec.")
    size_bytes = sum(path.lstat().st_size for path in folder.rglob("*"))
    if size_bytes > MAX_BUNDLE_BYTES:
        raise BuildFault(
            f"The bundle takes {size_bytes / 1e6:.0f} MB, more than {MAX_BUNDLE_BYTES / 1e6:.0f}: "
            "see in installers/contents.py what need not go along."
        )
