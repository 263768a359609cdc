"""The tree of files that both packages for Linux install: programs, menu entry, icon, papers.

It writes no settings: /etc/parley is there for IT, and empty.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from installers.faults import BuildFault
from installers.inputs import source_date_epoch
from installers.linux.bundle import BUNDLE, PROGRAMS
from installers.materials.write import add_notices
from installers.places import CACHE, PACKAGING, ROOT, version

APP_ID = "com.parley.desktop"
LIBRARY = Path("usr/lib/parley")
MANAGED = Path("etc/parley/policies/managed")
_SOURCES = PACKAGING / "linux"
_TERMS = PACKAGING / "windows" / "licence.txt"


@contextmanager
def installed_tree() -> Iterator[Path]:
    """Lay out what is installed, in a folder that stands for `/`, for as long as it is read.

    Raises BuildFault where the bundle was not built before.
    """
    if not (BUNDLE / PROGRAMS[0]).is_file():
        raise BuildFault("There is no bundle for Linux yet: run make deb, or make tarball.")
    (CACHE / "work").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE / "work", prefix="tree-") as name:
        root = Path(name)
        shutil.copytree(BUNDLE, root / LIBRARY, symlinks=True)
        _link_programs(root)
        _lay_out_menu_entry(root)
        _lay_out_papers(root)
        (root / MANAGED).mkdir(parents=True)
        yield root


def size_bytes(root: Path) -> int:
    """Return what all files below a folder take, links not followed."""
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())


def _link_programs(root: Path) -> None:
    folder = root / "usr/bin"
    folder.mkdir(parents=True)
    for program in PROGRAMS:
        (folder / program).symlink_to(f"../lib/parley/{program}")


def _lay_out_menu_entry(root: Path) -> None:
    share = root / "usr/share"
    _write(share / "applications/parley.desktop", _source("parley.desktop"))
    _write(share / f"metainfo/{APP_ID}.metainfo.xml", _source(f"{APP_ID}.metainfo.xml"))
    drawing = (ROOT / "resources/icons/parley.svg").read_bytes()
    _write(share / "icons/hicolor/scalable/apps/parley.svg", drawing)


def _lay_out_papers(root: Path) -> None:
    """Write the terms, everybody's licences, and a change log that says what this version is."""
    folder = root / "usr/share/doc/parley"
    folder.mkdir(parents=True)
    notices = add_notices("linux", folder)
    terms = _TERMS.read_text(encoding="utf-8").strip()
    text = f"{terms}\n\n\n{notices.read_text(encoding='utf-8')}"
    notices.unlink()
    _write(folder / "copyright", text.encode())
    said = (
        f"parley ({version()}) stable; urgency=medium\n\n"
        f"  * Version {version()}.\n\n"
        f" -- Parley <packages@parley.example>  {format_datetime(_moment())}\n"
    )
    _write(folder / "changelog.gz", gzip.compress(said.encode(), mtime=0))


def _source(name: str) -> bytes:
    text = (_SOURCES / name).read_text(encoding="utf-8")
    filled = text.replace("@VERSION@", version()).replace("@DATE@", f"{_moment():%Y-%m-%d}")
    return filled.encode()


def _moment() -> datetime:
    return datetime.fromtimestamp(source_date_epoch(), UTC)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)
