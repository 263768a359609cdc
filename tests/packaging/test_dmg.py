"""The disk image for macOS, unpacked by dmg2img and 7-Zip, neither of which made it.

They run nothing of what it holds: that takes a Mac. What a Mac checks before it runs a program
is checked here instead, and what Python would import is looked up.
"""

from __future__ import annotations

import _imp
import ast
import filecmp
import os
import plistlib
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from installers import contents, inputs
from installers.macos import bundle as macos_bundle
from installers.macos import dmg, icon, linkage
from installers.macos.bytecode import MAGIC
from installers.macos.macho import images, resolve
from installers.macos.property_list import info_plist
from installers.places import PACKAGES, ROOT, version

pytestmark = [pytest.mark.needs_packages, pytest.mark.timeout(1800)]

PYTHON = PurePosixPath("Contents/Resources/lib/python3.13")
SITE = PYTHON / "site-packages"
# What Python itself holds, so that no file of the bundle needs to.
BUILT_IN = frozenset(
    (
        "sys",
        "time",
        "builtins",
        "gc",
        "errno",
        "itertools",
        "faulthandler",
        "pwd",
        "collections.abc",
    )
)
# Imported where the code has asked for another system, for a firm's own backend, or not at all
# (what only type checkers read).
NOT_FOR_MACS = frozenset(
    (
        *("winreg", "msvcrt", "_winapi", "secretstorage", "jeepney"),
        *("boto3", "botocore", "psycopg", "_typeshed"),
    )
)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that a Mac would show for the mounted image."""
    image = PACKAGES / f"Parley-{version()}.dmg"
    if not image.exists():
        pytest.fail(f"{image.name} was not built: run make dmg")
    folder = tmp_path_factory.mktemp("dmg")
    raw = folder / "raw.img"
    subprocess.run(
        ["dmg2img", "-s", str(image), str(raw)], check=True, capture_output=True, timeout=600
    )
    unpack = ["7z", "x", "-bso0", f"-o{folder}", str(raw)]
    subprocess.run(unpack, check=True, capture_output=True, timeout=600)
    return folder / f"Parley {version()}"


@pytest.fixture(scope="module")
def app(volume: Path) -> Path:
    """Return the app in the image."""
    return volume / "Parley.app"


def test_the_image_holds_the_app_and_the_way_to_applications(volume: Path) -> None:
    assert sorted(path.name for path in volume.iterdir()) == ["Applications", "Parley.app"]
    # 7-Zip puts the folder it unpacks to before the target of an absolute link.
    assert (volume / "Applications").readlink() == volume.parent / "Applications"


def test_the_app_in_the_image_is_the_bundle_bit_for_bit(app: Path) -> None:
    _assert_same(app, macos_bundle.APP)


def test_all_machine_code_would_be_loaded_by_a_mac(app: Path) -> None:
    assert linkage.check_all(app) > 90


def test_another_reader_sees_the_same_architectures(app: Path) -> None:
    for path in linkage.machine_files(app):
        told = _llvm("llvm-lipo", "-archs", str(path))
        assert told.split() == ["arm64"], path


def test_both_programs_find_the_bundles_python(app: Path) -> None:
    for name in ("Parley", "parley-backend"):
        program = app / "Contents" / "MacOS" / name
        assert os.access(program, os.X_OK)
        (image,) = images(program)
        assert image.kind == "executable"
        assert image.minimum_system == (13, 0)
        assert image.loads == (
            "@executable_path/../Frameworks/libpython3.13.dylib",
            "/usr/lib/libSystem.B.dylib",
        )
        found = resolve(image.loads[0], program, program, ())
        assert found == (app / "Contents" / "Frameworks" / "libpython3.13.dylib").resolve()
    assert (app / "Contents" / "Resources" / "start.pyc").is_file()


def test_all_extensions_take_from_python_what_it_has(app: Path) -> None:
    has = _names("--defined-only", app / "Contents" / "Frameworks" / "libpython3.13.dylib")
    assert "_Py_BytesMain" in has
    # Qt's bindings bring names of their own that begin alike.
    for pattern in ("shiboken6/libshiboken6.*.dylib", "PySide6/libpyside6.*.dylib"):
        (library,) = (app / SITE).glob(pattern)
        has |= _names("--defined-only", library)
    for path in linkage.machine_files(app):
        missing = _names("--undefined-only", path) - has
        assert not {name for name in missing if name.startswith(("_Py", "__Py"))}, path


def test_the_property_list_and_the_icon_are_in_their_places(app: Path) -> None:
    assert (app / "Contents" / "Info.plist").read_bytes() == info_plist()
    told = plistlib.loads(info_plist())
    name = told["CFBundleIconFile"]
    entries = icon.unpack((app / "Contents" / "Resources" / f"{name}.icns").read_bytes())
    assert all(png.startswith(icon.PNG_MAGIC) for png in entries.values())
    assert (app / "Contents" / "MacOS" / told["CFBundleExecutable"]).is_file()
    assert (app / "Contents" / "PkgInfo").read_bytes() == b"APPL????"


def test_the_code_inside_is_the_trees(app: Path) -> None:
    modules = contents.first_party_modules(ROOT)
    assert len(modules) > 500
    inside = {
        path.relative_to(app / SITE).with_suffix("").as_posix()
        for name in contents.FIRST_PARTY
        for path in (app / SITE / name).rglob("*.pyc")
    }
    sources = {_source(name) for name in modules}
    assert inside == {path.relative_to(ROOT).with_suffix("").as_posix() for path in sources}
    for path in sources:
        compiled = app / SITE / path.relative_to(ROOT).with_suffix(".pyc")
        assert _is_code_of(compiled, path, is_checked=False), path


def test_what_may_be_replaced_stands_as_source(app: Path) -> None:
    sources = sorted((app / SITE / "PySide6").rglob("*.py"))
    assert sources
    for path in sources:
        compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
        assert _is_code_of(compiled, path, is_checked=True), path


def test_everything_that_belongs_in_a_bundle_is_there(app: Path) -> None:
    site = inputs.site_packages("macos-arm64")
    data = [*contents.data_files(ROOT), *contents.third_party_data(site, "macos")]
    for source, target in data:
        assert filecmp.cmp(source, app / SITE / target, shallow=False), target
    for name in (*contents.HIDDEN_IMPORTS, *contents.HIDDEN_PACKAGES):
        assert _is_there(app, name), name
    for name in contents.METADATA:
        assert list((app / SITE).glob(f"{name}-*.dist-info/entry_points.txt")), name
    for name in contents.QT_MODULES:
        assert (app / SITE / "PySide6" / f"{name}.abi3.so").is_file()
    assert "PySide" in (app / "Contents/Resources/THIRD-PARTY-NOTICES.txt").read_text("utf-8")


def test_all_that_our_code_imports_is_in_the_bundle(app: Path) -> None:
    missing = {
        name
        for module in contents.first_party_modules(ROOT)
        for name in _imported(_source(module))
        if not _is_there(app, name) and name.split(".")[0] not in NOT_FOR_MACS
    }
    assert sorted(name for name in missing if not contents.is_left_out(name)) == []


def test_nothing_is_in_the_bundle_that_does_not_belong(app: Path) -> None:
    names = [path.relative_to(app) for path in app.rglob("*")]
    assert len({str(name).lower() for name in names}) == len(names)  # Macs know one case
    parts = {part for name in names for part in name.parts}
    assert not parts & {"Headers", "qml", "tests", "pytest", "pip", "hatchling", "alembic"}
    assert not [part for part in parts if part.startswith(("libreadline", "libgdbm", "readline."))]
    assert not [part for part in parts if part.endswith((".pyi", ".h", ".pth", ".a"))]


def test_frameworks_have_the_links_that_signing_asks_for(app: Path) -> None:
    frameworks = sorted((app / SITE / "PySide6" / "Qt" / "lib").glob("*.framework"))
    assert {one.stem for one in frameworks} == {*contents.QT_MODULES, "QtNetwork"}
    for framework in frameworks:
        links = {
            str(path.relative_to(framework)): str(path.readlink())
            for path in framework.rglob("*")
            if path.is_symlink()
        }
        assert links == {
            "Versions/Current": "A",
            framework.stem: f"Versions/Current/{framework.stem}",
            "Resources": "Versions/Current/Resources",
        }


def test_a_second_build_gives_the_same_bytes(tmp_path: Path) -> None:
    again = tmp_path / "macos" / "Parley.app"
    macos_bundle.assemble(again)
    _assert_same(again, macos_bundle.APP)
    dmg.pack(again, tmp_path / "again.dmg", inputs.source_date_epoch())
    image = PACKAGES / f"Parley-{version()}.dmg"
    assert filecmp.cmp(tmp_path / "again.dmg", image, shallow=False)


# -- reading -----------------------------------------------------------------------------------


def _assert_same(one: Path, other: Path) -> None:
    """Compare two trees: entries, kinds, links, who may run what, and every byte."""
    assert _entries(one) == _entries(other)
    for path in one.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert filecmp.cmp(path, other / path.relative_to(one), shallow=False), path


def _entries(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): _kind(path) for path in folder.rglob("*")}


def _kind(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if path.is_dir():
        return "folder"
    return "program" if path.stat().st_mode & 0o111 == 0o111 else "file"


def _source(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _is_code_of(compiled: Path, source: Path, *, is_checked: bool) -> bool:
    """Compare the hash in byte code (PEP 552) with that of a source, for Python 3.13."""
    head = compiled.read_bytes()[:16]
    flags = 0b11 if is_checked else 0b01
    told = _imp.source_hash(int.from_bytes(MAGIC, "little"), source.read_bytes())
    return head == MAGIC + flags.to_bytes(4, "little") + told


def _is_there(app: Path, module: str) -> bool:
    """Tell whether Python would find a module in the bundle, or the package it is a name of."""
    inner = PurePosixPath(*module.split("."))
    if module in BUILT_IN:
        return True
    for folder in (app / SITE, app / PYTHON, app / PYTHON / "lib-dynload"):
        for name in (
            f"{inner}.pyc",
            f"{inner}.py",
            f"{inner}/__init__.pyc",
            f"{inner}/__init__.py",
        ):
            if (folder / name).is_file():
                return True
        if any((folder / inner.parent).glob(f"{inner.name}.*.so")):
            return True
    return False


@cache
def _imported(source: Path) -> frozenset[str]:
    """Return the modules that a file of ours names in its import statements."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return frozenset(_modules(tree))


def _modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _names(which: str, library: Path) -> frozenset[str]:
    return frozenset(_llvm("llvm-nm", "--extern-only", which, "-j", str(library)).split())


def _llvm(name: str, *arguments: str) -> str:
    """Run one of LLVM's programs, under whichever name Debian gives it."""
    found = next(filter(None, map(shutil.which, (name, f"{name}-14", f"{name}-19"))), None)
    if found is None:
        pytest.fail(f"{name} is missing: run .ci/packaging-tools")
    ran = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
