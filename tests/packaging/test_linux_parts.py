"""Judges the parts of the builds that need no tool: inputs by hash, what goes along, archives.

It never downloads anything.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from installers import builders_python, contents, inputs
from installers.contents import QtSystem
from installers.downloads import Pinned, download
from installers.faults import BuildFault
from installers.linux import archive, elf, icu_data
from installers.linux.search_path import drop_absolute_paths
from installers.places import ROOT


def test_a_file_that_differs_from_its_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thing-1.whl").write_bytes(b"another")
    wanted = Pinned("thing", "pypi", "1", "thing-1.whl", hashlib.sha256(b"meant").hexdigest())

    with pytest.raises(BuildFault, match="another file than meant"):
        download(wanted, tmp_path)


def test_a_file_that_fits_its_hash_is_taken_from_the_cache(tmp_path: Path) -> None:
    (tmp_path / "thing-1.whl").write_bytes(b"meant")
    wanted = Pinned("thing", "pypi", "1", "thing-1.whl", hashlib.sha256(b"meant").hexdigest())

    assert download(wanted, tmp_path) == tmp_path / "thing-1.whl"


def test_an_input_that_nobody_wrote_down_is_refused() -> None:
    with pytest.raises(BuildFault, match="write it down"):
        inputs.pinned("no-such-thing")


def test_the_time_of_everything_built_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    assert inputs.source_date_epoch() == 1_700_000_000


def test_the_lock_of_the_bundle_leaves_out_what_writes_the_editable_install() -> None:
    text = (inputs.REQUIREMENTS / "run.txt").read_text(encoding="utf-8")
    cut = inputs._without(text, ["hatchling", "pluggy"])

    assert "hatchling==" in text
    assert "hatchling==" not in cut
    assert "pluggy==" not in cut
    assert text.count("==") - cut.count("==") == 2
    assert "keyring==" in cut


@pytest.mark.parametrize(
    ("path", "system", "wanted"),
    [
        ("PySide6/QtWidgets.abi3.so", "linux", True),
        ("PySide6/QtQml.abi3.so", "linux", False),
        ("PySide6/Qt/lib/libQt6XcbQpa.so.6", "linux", True),
        ("PySide6/Qt/lib/libQt6Quick.so.6", "linux", False),
        ("PySide6/Qt/lib/libicudata.so.73", "linux", True),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "linux", True),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", "linux", False),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", "linux", False),
        ("PySide6/Qt/translations/qtbase_de.qm", "linux", False),
        ("PySide6/Qt6Widgets.dll", "windows", True),
        ("PySide6/Qt/lib/libQt6Network.so.6", "linux", False),
        ("PySide6/Qt6Network.dll", "windows", True),
        ("PySide6/plugins/tls/qschannelbackend.dll", "windows", False),
        ("PySide6/Qt6NetworkAuth.dll", "windows", False),
        ("PySide6/plugins/platforms/qwindows.dll", "windows", True),
        ("PySide6/plugins/platforms/qdirect2d.dll", "windows", False),
        ("PySide6/opengl32sw.dll", "windows", False),
        ("PySide6/Qt/lib/QtGui.framework/Versions/A/QtGui", "macos", True),
        ("PySide6/Qt/lib/QtGui.framework/Versions/A/Resources/Info.plist", "macos", True),
        ("PySide6/Qt/lib/QtNetwork.framework/Versions/A/QtNetwork", "macos", True),
        ("PySide6/Qt/plugins/platforms/libqcocoa.dylib", "macos", True),
        ("phonenumbers/data/region_DE.py", "linux", True),
        ("phonenumbers/geodata/data0.py", "linux", False),
        ("sqlalchemy/dialects/mysql/base.py", "macos", False),
        ("keyring-25.7.0.dist-info/entry_points.txt", "macos", True),
        ("backend/channels/conformance.py", "linux", False),
    ],
)
def test_of_qt_and_others_only_what_is_used_goes_along(
    path: str, system: QtSystem, wanted: bool
) -> None:
    assert contents.is_wanted(PurePosixPath(path), system) is wanted


def test_all_our_modules_go_along_but_those_for_tests() -> None:
    modules = contents.first_party_modules(ROOT)

    assert {"ui.__main__", "backend.__main__", "contract", "resources"} <= set(modules)
    assert "backend.channels.conformance" not in modules
    assert not [name for name in modules if name.startswith(("tests", "installers"))]


def test_our_data_lie_where_the_code_looks_for_them() -> None:
    targets = {str(target) for _, target in contents.data_files(ROOT)}

    assert "app/settings/schema.json" in targets
    assert "resources/icons/parley.svg" in targets
    assert not [name for name in targets if name.endswith((".py", ".pyc"))]


@pytest.mark.parametrize(
    ("name", "left"),
    [
        *(("libstdc++.so.6", True), ("libssl.so.3", True), ("libX11.so.6", True)),
        *(("libpython3.11.so.1.0", False), ("libQt6Core.so.6", False), ("libffi.so.8", False)),
    ],
)
def test_libraries_that_each_linux_keeps_new_are_left_to_it(name: str, left: bool) -> None:
    assert contents.is_left_to_linux(PurePosixPath(name)) is left


def test_libraries_inside_a_package_always_go_along() -> None:
    assert not contents.is_left_to_linux(PurePosixPath("psutil/libssl.so.3"))


@pytest.mark.skipif(not shutil.which("xz"), reason="xz is not installed")
def test_a_tree_packs_to_the_same_bytes_whenever_it_is_written(tmp_path: Path) -> None:
    packed = []
    for number, order in enumerate((("b", "a"), ("a", "b"))):
        folder = tmp_path / str(number)
        for name in order:
            (folder / name).mkdir(parents=True)
            (folder / name / "file").write_text(name)
        (folder / "a" / "link").symlink_to("../b/file")
        (folder / "b" / "file").chmod(0o700)
        packed.append(archive.tar_xz(folder, 1_700_000_000))

    assert packed[0] == packed[1]


@pytest.mark.skipif(not shutil.which("xz"), reason="xz is not installed")
def test_what_was_packed_before_is_packed_once(tmp_path: Path) -> None:
    cache = tmp_path / "linux"
    first = archive.compressed_once(b"tree", cache)
    (kept,) = tmp_path.glob("linux.*.xz")
    kept.write_bytes(b"from the cache")

    assert first != b"from the cache"
    assert archive.compressed_once(b"tree", cache) == b"from the cache"
    assert archive.compressed_once(b"another tree", cache) == archive.compressed(b"another tree")


@pytest.mark.skipif(not shutil.which("readelf"), reason="binutils is not installed")
def test_what_a_compiled_file_is_linked_to_is_read_from_it() -> None:
    import _ctypes

    path = Path(_ctypes.__file__)

    assert list(elf.elf_files(path.parent))
    assert "libc.so.6" in elf.needed(path)


def test_icu_finds_in_cut_data_what_was_kept() -> None:
    items = {"icudt9l/coll/de.res": b"order", "icudt9l/root.res": b"r" * 33}
    header = bytes.fromhex("2000da27140000000000020043 6d6e44".replace(" ", "")) + bytes(16)
    library = b"before" + icu_data.IcuData(header, items).packed()

    found = icu_data.read(library)

    assert found.header == header
    assert {name: data.rstrip(b"\0") for name, data in found.items.items()} == items


@pytest.mark.skipif(not (shutil.which("as") and shutil.which("ld")), reason="needs binutils")
def test_qt_still_compares_and_folds_with_icus_data_cut(tmp_path: Path) -> None:
    PySide6 = pytest.importorskip("PySide6")
    qt = Path(PySide6.__file__).parent / "Qt" / "lib"
    whole = next(iter(qt.glob("libicudata.so.*")), None)
    if whole is None:
        pytest.skip("this Qt brings no ICU")
    cut = tmp_path / whole.name
    shutil.copy(whole, cut)
    icu_data.cut_icu_data(cut)

    compare = (
        "from PySide6.QtCore import QCollator, QLocale, QStringDecoder as D;"
        "c = QCollator(QLocale('sv_SE'));"
        "print(c.compare('\xe4', 'z') > 0, QCollator(QLocale('de_DE')).compare('\xe4', 'z') < 0,"
        " QLocale('tr_TR').toUpper('i') == '\u0130', D('Shift-JIS').isValid());"
        "print(*{line.split()[-1] for line in open('/proc/self/maps') if 'libicudata' in line})"
    )
    done = subprocess.run(
        [sys.executable, "-c", compare],
        env=os.environ | {"LD_PRELOAD": str(cut)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == f"True True True True\n{cut}\n", done.stderr
    assert cut.stat().st_size < whole.stat().st_size / 2


@pytest.mark.skipif(not (shutil.which("as") and shutil.which("ld")), reason="needs binutils")
@pytest.mark.parametrize(
    ("given", "left"), [("/home/user/lib", ""), ("$ORIGIN/../lib", "[$ORIGIN/../lib]")]
)
def test_a_library_forgets_the_folders_of_the_machine_that_built_it(
    given: str, left: str, tmp_path: Path
) -> None:
    library = tmp_path / "thing.so"
    elf.run_tool("as", "-o", str(tmp_path / "thing.o"), "/dev/null")
    linked = ("-shared", "-soname", "thing.so", "--enable-new-dtags", "-rpath", given)
    elf.run_tool("ld", *linked, "-o", str(library), str(tmp_path / "thing.o"))

    changed = drop_absolute_paths(library)

    told = elf.run_tool("readelf", "--wide", "--dynamic", str(library))
    assert changed is not bool(left)
    assert "soname: [thing.so]" in told
    assert ("RUNPATH" in told) is bool(left)
    assert left in told
    assert (b"/home/builder" in library.read_bytes()) is False
    assert not drop_absolute_paths(library)


# ---- What the builder's Python says of itself ---------------------------------------------------


def test_what_stands_in_for_pythons_configuration_lets_zones_be_found(tmp_path: Path) -> None:
    builders_python.write_configuration(tmp_path)
    (written,) = tmp_path.iterdir()
    asks = "import zoneinfo; print(zoneinfo.TZPATH, zoneinfo.ZoneInfo('Asia/Tokyo'))"

    done = subprocess.run(
        [sys.executable, "-c", asks],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert written.stem.startswith("_sysconfigdata_")
    assert "/usr/share/zoneinfo" in done.stdout, done.stderr
    assert sys.base_prefix not in written.read_text(encoding="utf-8")


@pytest.mark.parametrize("prefix", ["/srv/pythons/versions/3.11.7", "/o/py3"])
def test_a_library_loses_the_builders_folder_and_keeps_its_length(
    tmp_path: Path, prefix: str
) -> None:
    library = tmp_path / "libpython3.11.so.1.0"
    before = b"\x7fELF\0before\0" + prefix.encode() + b"\0after\0"
    library.write_bytes(before)

    assert builders_python.drop_prefix(library, Path(prefix))

    after = library.read_bytes()
    assert len(after) == len(before)
    assert prefix.encode() not in after
    assert after.endswith(b"/" + Path(prefix).name.encode() + b"\0after\0")
    assert not builders_python.drop_prefix(library, Path(prefix))


def test_a_library_of_the_system_stays_as_it_is(tmp_path: Path) -> None:
    library = tmp_path / "libpython3.11.so.1.0"
    library.write_bytes(b"\0/usr\0/usr/local/python\0")

    assert not builders_python.drop_prefix(library, Path("/usr"))
    assert not builders_python.drop_prefix(library, Path("/usr/local/python"))
