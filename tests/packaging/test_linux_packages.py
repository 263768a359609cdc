"""Judges what the packages for Linux hold and say of themselves, without installing them.

It never builds a package anew.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from installers.contents import QT_MODULES, is_left_to_linux
from installers.linux.elf import needed_from_outside
from installers.linux.tree import LIBRARY
from tests.packaging.conftest import Built

pytestmark = [pytest.mark.needs_packages, pytest.mark.timeout(1800)]

DEB = "parley_{v}_amd64.deb"
TARBALL = "Parley-{v}-linux-x86_64.tar.xz"


def test_the_package_and_the_archive_hold_the_same_tree(package: Built) -> None:
    deb, tarball = _members(package(DEB)), package(TARBALL).read_bytes()

    assert hashlib.sha256(deb["data.tar.xz"]).digest() == hashlib.sha256(tarball).digest()


def test_dpkg_reads_the_package_and_finds_what_is_promised(package: Built) -> None:
    fields = _fields(package(DEB))

    assert fields["Package"] == "parley"
    assert fields["Architecture"] == "amd64"
    assert {"libegl1", "libxcb-cursor0", "libdbus-1-3", "ca-certificates", "tzdata"} <= {
        re.split(r"[ :]", one)[0] for one in fields["Depends"].split(", ")
    }
    assert "/etc/parley" in fields["Description"]


def test_every_file_belongs_to_root_and_nobody_else_may_write_it(package: Built) -> None:
    with _tree(package(DEB)) as tree:
        entries = tree.getmembers()

    assert entries
    assert {(entry.uid, entry.gid) for entry in entries} == {(0, 0)}
    assert not [entry.name for entry in entries if entry.mode & 0o7022 and not entry.issym()]
    assert len({entry.mtime for entry in entries}) == 1
    assert [entry.name for entry in entries] == sorted(
        (entry.name for entry in entries), key=lambda name: name.split("/")
    )


def test_the_bundle_holds_the_listed_part_of_qt_and_no_library_of_the_system(
    bundle: Built,
) -> None:
    libraries = bundle("linux") / "_internal"
    modules = {path.name.split(".")[0] for path in libraries.glob("PySide6/Qt*.so")}
    platforms = {path.name for path in libraries.glob("PySide6/Qt/plugins/platforms/*")}

    assert modules <= set(QT_MODULES)
    assert platforms == {"libqoffscreen.so", "libqwayland.so", "libqxcb.so"}
    assert not list(libraries.rglob("*gtk*"))
    assert not list(libraries.rglob("*[Qq]ml*.so*"))
    tops = [PurePosixPath(path.name) for path in libraries.glob("lib*.so*")]
    assert not [path for path in tops if is_left_to_linux(path)]


def test_each_library_from_outside_is_one_that_its_dependencies_bring(
    bundle: Built, package: Built
) -> None:
    outside = needed_from_outside(bundle("linux"))
    depends = _fields(package(DEB))["Depends"]

    assert "libxcb-cursor.so.0" in outside
    for name, needed_package in (("libEGL.so.1", "libegl1"), ("libssl.so.3", "libssl3")):
        assert (name in outside) == (needed_package in depends)


def test_sizes_keep_the_promise(bundle: Built, package: Built) -> None:
    files = (path for path in bundle("linux").rglob("*") if not path.is_dir())

    assert sum(path.lstat().st_size for path in files) <= 140_000_000
    assert package(DEB).stat().st_size <= 45_000_000
    assert package(TARBALL).stat().st_size <= 45_000_000


@pytest.mark.parametrize(
    ("program", "path", "words"),
    [
        ("desktop-file-validate", "usr/share/applications/parley.desktop", ()),
        ("appstreamcli", "usr/share/metainfo/com.parley.desktop.metainfo.xml", ("validate",)),
    ],
)
def test_desktops_accept_how_parley_presents_itself(
    program: str, path: str, words: tuple[str, ...], package: Built, tmp_path: Path
) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    with _tree(package(DEB)) as tree:
        file = tree.extractfile(f"./{path}")
        assert file is not None
        (tmp_path / Path(path).name).write_bytes(file.read())
    options = ("--no-net",) if words else ()

    done = subprocess.run(
        [program, *words, *options, str(tmp_path / Path(path).name)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_links_of_the_scheme_open_with_parley_and_its_papers_lie_with_it(package: Built) -> None:
    with _tree(package(DEB)) as tree:
        names = set(tree.getnames())
        entry = tree.extractfile("./usr/share/applications/parley.desktop")
        papers = tree.extractfile("./usr/share/doc/parley/copyright")
        assert entry is not None
        assert papers is not None
        menu, notices = entry.read().decode(), papers.read().decode()

    assert "MimeType=x-scheme-handler/parley;" in menu
    assert "Exec=/usr/bin/parley %u" in menu
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in notices
    assert "./usr/share/icons/hicolor/scalable/apps/parley.svg" in names
    assert f"./{LIBRARY}/_internal/app/settings/schema.json" in names
    assert "./etc/parley/policies/managed" in names
    assert not [name for name in names if "conformance" in name or "/tests/" in name]


def _members(deb: Path) -> dict[str, bytes]:
    """Read the outer archive; each member's content by its name."""
    found: dict[str, bytes] = {}
    with deb.open("rb") as file:
        assert file.read(8) == b"!<arch>\n"
        while head := file.read(60):
            size = int(head[48:58])
            found[head[:16].decode().strip()] = file.read(size)
            file.read(size % 2)
    return found


def _tree(deb: Path) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(_members(deb)["data.tar.xz"]), mode="r:xz")


def _fields(deb: Path) -> dict[str, str]:
    told = subprocess.run(
        ["dpkg-deb", "--field", str(deb)], capture_output=True, text=True, check=True
    ).stdout
    joined = re.sub(r"\n ", "\n\t", told)
    found = re.findall(r"^([A-Z][\w-]*): (.*(?:\n\t.*)*)", joined, re.MULTILINE)
    return dict(found)
