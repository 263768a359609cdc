"""Building the folder with both programs for Windows: PyInstaller in wine, from Windows' wheels.

It never takes a file along that Windows or wine brings itself, and never signs one twice.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from installers import inputs
from installers.faults import BuildFault
from installers.places import BUNDLES, CACHE, PACKAGING, ROOT
from installers.windows import resources, runtime, signing, wine
from installers.windows.wine import windows_path

BUNDLE = BUNDLES / "windows"
PROGRAMS = ("parley", "parley-backend")
MAX_BUNDLE_BYTES = 140_000_000
PYINSTALLER_S = 2_400.0
_LIBRARIES = "_internal"
# Not those of a wheel's own, whose names have a digest in them: only that wheel asks for those.
_MICROSOFT_RUNTIME = re.compile(r"(vcruntime|msvcp|concrt)140(_[a-z0-9_]+)?\.dll")


def build() -> list[Path]:
    """Build out/bundle/windows anew, signed where the environment says by whom; BuildFault."""
    work = CACHE / "work" / "windows"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _run_pyinstaller(work)
    built = work / "dist" / "parley"
    _keep_one_runtime(built / _LIBRARIES)
    _add_notices(built)
    check(built)
    signing.sign_all(signing.native_files(built))
    _normalise(built)
    shutil.rmtree(BUNDLE, ignore_errors=True)
    BUNDLE.parent.mkdir(parents=True, exist_ok=True)
    built.rename(BUNDLE)
    shutil.rmtree(work)
    return [BUNDLE]


def check(folder: Path) -> None:
    """Raise BuildFault where a bundle lacks a program, is too large or holds foreign files."""
    for file in (f"{name}.{ending}" for name in PROGRAMS for ending in ("exe", "pkg")):
        if not (folder / file).is_file():
            raise BuildFault(f"The bundle has no {file}: look at packaging/app.spec.")
    carried = {(folder / f"{name}.pkg").read_bytes() for name in PROGRAMS}
    if len(carried) != 1:  # the installer package holds it once
        raise BuildFault("The two programs carry other modules than each other: see app.spec.")
    names = [path.name.lower() for path in folder.rglob("*") if path.is_file()]
    foreign = {f"{name}.dll" for name in wine.STAND_INS}
    for name in names:
        if name in foreign or name.startswith(("api-ms-win-", "ext-ms-win-", "ucrtbase")):
            raise BuildFault(f"{name} is Windows' own and must not be in the bundle.")
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size_bytes > MAX_BUNDLE_BYTES:
        raise BuildFault(
            f"The bundle takes {size_bytes / 1e6:.0f} MB, more than {MAX_BUNDLE_BYTES / 1e6:.0f}: "
            "see in installers/contents.py what need not go along."
        )


def _run_pyinstaller(work: Path) -> None:
    """Analyse and collect what app.spec names, into `dist/parley` below `work`."""
    windows, python = wine.building(), runtime.python()
    _lay_wheels(python.parent / "Lib" / "site-packages")
    folders = (inputs.build_tools("windows"), PACKAGING)
    for name in PROGRAMS:
        resources.version_file(name)
    variables = {
        "PYTHONPATH": ";".join(map(windows_path, folders)),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYINSTALLER_CONFIG_DIR": windows_path(CACHE / "pyinstaller-windows"),
        "SOURCE_DATE_EPOCH": str(inputs.source_date_epoch()),
        "PARLEY_BUNDLE_ICON": windows_path(resources.icon()),
        "PARLEY_BUNDLE_VERSIONS": windows_path(CACHE / "windows"),
    }
    print("PyInstaller collects the bundle for Windows in wine; that takes some minutes")
    command: list[str | Path] = [python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", work / "dist", "--workpath", work / "build"]
    ran = windows.run(
        [*command, PACKAGING / "app.spec"],
        variables=variables,
        folder=ROOT,
        timeout_s=PYINSTALLER_S,
    )
    log = CACHE / "pyinstaller-windows.log"
    log.write_text(ran.output, encoding="utf-8")
    if ran.status != 0:
        last = " / ".join(ran.output.strip().splitlines()[-3:])
        raise BuildFault(f"PyInstaller stopped; all it said stands in {log}. Last words: {last}")


def _lay_wheels(packages: Path) -> None:
    """Make the wheels this Python's own: only there PyInstaller leaves libraries beside them."""
    site = inputs.site_packages("windows")
    if packages.is_symlink() and packages.readlink() == site:
        return
    packages.unlink(missing_ok=True)
    packages.symlink_to(site)


def _keep_one_runtime(libraries: Path) -> None:
    """Leave one copy of each of Microsoft's libraries: wheels bring several, of several versions.

    A newer one serves all that was built for an older one. Shiboken's wheel has the newest, and
    the top folder is where every program and library looks.
    """
    newest = inputs.site_packages("windows") / "shiboken6"
    for path in sorted(libraries.rglob("*.dll")):
        name = path.name.lower()
        if _MICROSOFT_RUNTIME.fullmatch(name):
            path.unlink()
            shutil.copyfile(newest / name, libraries / name)


def _add_notices(folder: Path) -> None:
    from installers.materials.write import add_notices

    add_notices("windows", folder)


def _normalise(folder: Path) -> None:
    """Give each file and folder the same rights and the last commit's time."""
    at_s = inputs.source_date_epoch()
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (at_s, at_s))
