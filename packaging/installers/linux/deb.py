"""Building the Debian package out of the bundle, without a script that runs on installation.

It writes no dependency by hand that the bundle's compiled files can tell.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from installers.faults import BuildFault
from installers.inputs import source_date_epoch
from installers.linux.archive import ar, compressed, compressed_once, tar
from installers.linux.elf import elf_files
from installers.linux.tree import LIBRARY, installed_tree, size_bytes
from installers.places import CACHE, PACKAGES, PACKAGING, version

DATA_CACHE = CACHE / "packed" / "linux"
# Read when Parley runs, without any compiled file saying so: time zones, and whom to trust.
_READ = ("ca-certificates", "tzdata")
_SOURCE = "Source: parley\n\nPackage: parley\nArchitecture: amd64\nDescription: Parley\n"


def build() -> list[Path]:
    """Write out/packages/parley_<version>_amd64.deb anew; raises BuildFault."""
    at_s = source_date_epoch()
    with installed_tree() as root:
        control = _control(root, at_s)
        data = compressed_once(tar(root, at_s), DATA_CACHE)
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", control),
        ("data.tar.xz", data),
    ]
    PACKAGES.mkdir(parents=True, exist_ok=True)
    written = PACKAGES / f"parley_{version()}_amd64.deb"
    written.write_bytes(ar(members, at_s))
    return [written]


def dependencies(root: Path) -> list[str]:
    """Return the packages, with the least version of each, that the tree below `root` needs.

    dpkg-shlibdeps finds them by the symbols that are used. Raises BuildFault where this
    machine lacks one of the libraries, because nobody knows its package then.
    """
    files = [str(path) for path in elf_files(root / LIBRARY)]
    with tempfile.TemporaryDirectory(dir=CACHE / "work") as name:
        (Path(name) / "debian").mkdir()
        (Path(name) / "debian/control").write_text(_SOURCE, encoding="utf-8")
        command = ["dpkg-shlibdeps", "--ignore-missing-info", "-O", *_own_folders(root)]
        try:
            done = subprocess.run(
                [*command, *files], cwd=name, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise BuildFault("dpkg-shlibdeps is missing: run .ci/packaging-tools.") from error
    _, found, told = done.stdout.strip().partition("shlibs:Depends=")
    if done.returncode != 0 or not found:
        raise BuildFault(f"dpkg-shlibdeps stopped: {done.stderr.strip()[-600:]}")
    return sorted({*told.split(", "), *_READ})


def _own_folders(root: Path) -> list[str]:
    """Tell dpkg-shlibdeps where the libraries lie that the bundle brings for itself."""
    inside = {path.parent for path in (root / LIBRARY).rglob("*.so*")}
    return [f"-l{path}" for path in sorted(inside)]


def _control(root: Path, at_s: int) -> bytes:
    """Return the packed control files: what the package is, and the hash of each file in it."""
    text = (PACKAGING / "linux" / "control").read_text(encoding="utf-8")
    text = text.replace("@VERSION@", version())
    text = text.replace("@SIZE_KIB@", str(-(-size_bytes(root) // 1024)))
    text = text.replace("@DEPENDS@", ", ".join(dependencies(root)))
    with tempfile.TemporaryDirectory(dir=CACHE / "work") as name:
        (Path(name) / "control").write_text(text, encoding="utf-8")
        (Path(name) / "md5sums").write_text(_md5sums(root), encoding="utf-8")
        return compressed(tar(Path(name), at_s))


def _md5sums(root: Path) -> str:
    lines = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        if not path.is_symlink():
            digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            lines.append(f"{digest}  {path.relative_to(root).as_posix()}\n")
    return "".join(lines)
