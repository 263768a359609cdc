"""The parts of the build for macOS that need neither its tools nor what it downloads.

They do not build the app: test_dmg.py judges that.
"""

from __future__ import annotations

import functools
import inspect
import json
import marshal
import os
import plistlib
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from installers.faults import BuildFault
from installers.macos import compiling, hfs, icon, linkage, udif
from installers.macos.code_signature import check_signature
from installers.macos.compiling import byte_code
from installers.macos.macho import images, is_macho, read_image, resolve
from installers.macos.property_list import ENTITLEMENTS, info_plist
from installers.macos.selection import Kind, chosen
from installers.macos.thinning import thin
from installers.places import ROOT, version
from tests.packaging.macho_files import fat, macho

SECTOR = 512


# -- the disk image ----------------------------------------------------------------------------


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Return a volume with text, zeros for more than a chunk, and bytes that can't be packed."""
    path = tmp_path / "volume"
    path.write_bytes(
        b"Parley " * 300_000 + bytes(3 << 20) + os.urandom(1 << 20) + bytes(-(7 * 300_000) % SECTOR)
    )
    return path


def test_a_disk_image_gives_its_volume_back(tmp_path: Path, volume: Path) -> None:
    image = tmp_path / "sample.dmg"
    udif.write(volume, image)
    assert udif.read(image) == volume.read_bytes()
    assert image.stat().st_size < 1.1 * (1 << 20)


def test_a_disk_image_is_the_same_each_time(tmp_path: Path, volume: Path) -> None:
    udif.write(volume, tmp_path / "one")
    udif.write(volume, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_trailer_says_where_the_listing_is(tmp_path: Path, volume: Path) -> None:
    image = tmp_path / "sample.dmg"
    udif.write(volume, image)
    data = image.read_bytes()
    trailer = data[-512:]
    assert struct.unpack_from(">4sII", trailer) == (b"koly", 4, 512)
    at, size = struct.unpack_from(">QQ", trailer, 216)
    assert at + size + 512 == len(data)
    (entry,) = plistlib.loads(data[at : at + size])["resource-fork"]["blkx"]
    assert entry["Name"] == "whole disk (Apple_HFS : 0)"
    (sectors,) = struct.unpack_from(">Q", trailer, 492)
    assert sectors * SECTOR == volume.stat().st_size


# A packed byte; in the trailer: the checksum of those, that of the checksums, the size.
@pytest.mark.parametrize("place", [100, -512 + 91, -512 + 363, -512 + 499])
def test_a_changed_disk_image_is_found_out(tmp_path: Path, volume: Path, place: int) -> None:
    image = tmp_path / "sample.dmg"
    udif.write(volume, image)
    data = bytearray(image.read_bytes())
    data[place] ^= 0xFF
    image.write_bytes(data)
    with pytest.raises(BuildFault):
        udif.read(image)


def test_half_a_sector_is_no_volume(tmp_path: Path) -> None:
    (tmp_path / "volume").write_bytes(bytes(700))
    with pytest.raises(BuildFault, match="whole number of sectors"):
        udif.write(tmp_path / "volume", tmp_path / "image")


def test_the_volume_is_cut_out_of_the_hybrid_image(tmp_path: Path) -> None:
    inner = bytearray(8 * SECTOR)
    inner[1024:1026] = inner[-1024:-1022] = b"H+"
    entries = b"ER".ljust(SECTOR, b"\0")
    for first, blocks, kind in ((1, 4, b"Apple_partition_map"), (6, 8, b"Apple_HFS")):
        entry = struct.pack(">2s2xIII", b"PM", 4, first, blocks).ljust(48, b"\0") + kind
        entries += entry.ljust(SECTOR, b"\0")
    hybrid = tmp_path / "hybrid"
    hybrid.write_bytes(entries.ljust(6 * SECTOR, b"\0") + inner + bytes(SECTOR))
    hfs.cut(hybrid, tmp_path / "volume")
    assert (tmp_path / "volume").read_bytes() == bytes(inner)


def test_an_image_without_a_mac_volume_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hybrid").write_bytes(bytes(64 * SECTOR))
    with pytest.raises(BuildFault, match="Apple_HFS"):
        hfs.cut(tmp_path / "hybrid", tmp_path / "volume")


# -- machine code ------------------------------------------------------------------------------


def test_a_fat_file_is_thinned_to_its_own_signed_bytes(tmp_path: Path) -> None:
    arm, intel = macho("arm64"), macho("x86_64", minimum=(10, 13))
    both = tmp_path / "both.dylib"
    both.write_bytes(fat(intel, arm))
    assert [image.architecture for image in images(both)] == ["x86_64", "arm64"]
    thin(both, tmp_path / "new" / "arm.dylib")
    assert (tmp_path / "new" / "arm.dylib").read_bytes() == arm
    assert check_signature(arm, read_image(arm)).is_ad_hoc


def test_a_file_for_intel_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "intel.so").write_bytes(macho("x86_64"))
    with pytest.raises(BuildFault, match="no code for Apple silicon"):
        thin(tmp_path / "intel.so", tmp_path / "thin.so")


def test_a_changed_page_breaks_the_signature() -> None:
    data = bytearray(macho())
    data[4200] ^= 1
    with pytest.raises(BuildFault, match="Page 1 "):
        check_signature(bytes(data), read_image(bytes(data)))


def test_unsigned_code_is_refused() -> None:
    data = macho(is_signed=False)
    with pytest.raises(BuildFault, match="no signature"):
        check_signature(data, read_image(data))


def test_text_and_links_and_java_are_no_machine_code(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("nothing")
    (tmp_path / "java").write_bytes(b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(64))
    (tmp_path / "real").write_bytes(macho())
    (tmp_path / "link").symlink_to("real")
    names = [path.name for path in sorted(tmp_path.iterdir()) if is_macho(path)]
    assert names == ["real"]


def test_what_is_loaded_is_found_as_dyld_finds_it(tmp_path: Path) -> None:
    program = tmp_path / "MacOS" / "Parley"
    loader = tmp_path / "lib" / "one.so"
    found = tmp_path / "lib" / "two.dylib"
    found.parent.mkdir()
    found.touch()
    paths = ("@loader_path/../nowhere", "@executable_path/../lib")
    assert resolve("@rpath/two.dylib", loader, program, paths) == found
    assert resolve("@loader_path/two.dylib", loader, program, ()) == found
    assert resolve("/usr/lib/libz.1.dylib", loader, program, ()) == Path("/usr/lib/libz.1.dylib")
    with pytest.raises(BuildFault, match="nowhere in the bundle"):
        resolve("@rpath/three.dylib", loader, program, paths)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (macho("x86_64"), "Apple silicon alone"),
        (fat(macho("x86_64"), macho("arm64")), "Apple silicon alone"),
        (macho(minimum=(15, 0)), "asks for macOS 15.0"),
        (macho(loads=("/opt/homebrew/lib/libssl.3.dylib",)), "outside the bundle"),
        (macho(loads=("@loader_path/missing.dylib",)), "not in the bundle"),
        (macho(loads=("@rpath/missing.dylib",), search_paths=("@loader_path",)), "nowhere"),
        (macho(is_signed=False), "no signature"),
    ],
)
def test_code_a_mac_would_not_load_stops_the_build(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    library = tmp_path / "Parley.app" / "Contents" / "Resources" / "one.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(macho(loads=("/usr/lib/libSystem.B.dylib",)))
    assert linkage.check_all(tmp_path / "Parley.app") == 1
    library.write_bytes(data)
    with pytest.raises(BuildFault, match=f"Contents/Resources/one.so: .*{reason}"):
        linkage.check_all(tmp_path / "Parley.app")


# -- icon and property lists -------------------------------------------------------------------


def test_the_icon_has_every_size_a_mac_asks_for() -> None:
    data = icon.icns(ROOT / "resources" / "icons" / "parley.svg")
    entries = icon.unpack(data)
    assert {kind: _width_px(png) for kind, png in entries.items()} == icon.KINDS
    assert {kind[:2] for kind in entries} == {"ic"}
    assert icon.icns(ROOT / "resources" / "icons" / "parley.svg") == data


def test_a_cut_icon_is_found_out() -> None:
    data = icon.pack({"ic07": b"x" * 40})
    assert icon.unpack(data) == {"ic07": b"x" * 40}
    with pytest.raises(BuildFault):
        icon.unpack(data[:-1])


def test_the_property_list_says_what_macos_needs_to_know() -> None:
    told = plistlib.loads(info_plist())
    assert told["CFBundleIdentifier"] == "com.parley.desktop"
    assert told["CFBundleShortVersionString"] == told["CFBundleVersion"] == version()
    assert told["CFBundleExecutable"] == "Parley"
    assert told["CFBundleURLTypes"][0]["CFBundleURLSchemes"] == ["parley"]
    assert told["LSMinimumSystemVersion"] == "13.0"
    assert told["LSArchitecturePriority"] == ["arm64"]
    assert told["NSHighResolutionCapable"] is True
    assert told["NSSupportsSuddenTermination"] is False
    assert told["LSApplicationCategoryType"] == "public.app-category.business"
    reasons = [key for key in told if key.endswith("UsageDescription")]
    assert reasons == ["NSLocalNetworkUsageDescription"]


def test_the_managed_settings_are_looked_up_under_the_bundles_name() -> None:
    from app.settings.sources import MACOS_DOMAIN

    assert plistlib.loads(info_plist())["CFBundleIdentifier"] == MACOS_DOMAIN


def test_the_entitlements_take_nothing_from_the_hardened_runtime() -> None:
    assert plistlib.loads(ENTITLEMENTS.read_bytes()) == {}


def _width_px(png: bytes) -> int:
    assert png.startswith(icon.PNG_MAGIC)
    width, height = struct.unpack_from(">II", png, 16)
    assert width == height
    return int(width)


# -- what goes along ---------------------------------------------------------------------------


@pytest.fixture
def inputs_at(tmp_path: Path) -> dict[str, Path]:
    """Return small doubles of the unpacked wheels, Python's library and its compiled part."""
    files = {
        "site/anyio/__init__.py": b"",
        "site/anyio/py.typed": b"",
        "site/cffi/__init__.py": b"",
        "site/keyring-25.7.0.dist-info/entry_points.txt": b"",
        "site/keyring-25.7.0.dist-info/RECORD": b"",
        "site/anyio-4.dist-info/METADATA": b"",
        "site/bin/tool": b"",
        "site/PySide6/__init__.py": b"",
        "site/PySide6/QtCore.abi3.so": macho(),
        "site/PySide6/QtQml.abi3.so": macho(),
        "site/PySide6/QtCore.pyi": b"",
        "site/PySide6/Qt/lib/QtCore.framework/Versions/A/QtCore": macho(),
        "site/PySide6/Qt/lib/QtCore.framework/Versions/A/Resources/Info.plist": b"",
        "site/PySide6/Qt/lib/QtCore.framework/Versions/A/Headers/qobject.h": b"",
        "site/PySide6/Qt/lib/QtCore.framework/Resources/Info.plist": b"",
        "site/PySide6/Qt/lib/QtQml.framework/Versions/A/QtQml": macho(),
        "site/PySide6/Qt/plugins/platforms/libqcocoa.dylib": macho(),
        "site/PySide6/Qt/plugins/platforms/libqminimal.dylib": macho(),
        "library/os.py": b"",
        "library/tkinter/__init__.py": b"",
        "library/dbm/gnu.py": b"",
        "library/curses/__init__.py": b"",
        "core/libpython3.13.dylib": macho(),
        "core/_ssl.cpython-313-darwin.so": macho(),
        "core/libssl.3.dylib": macho(),
        "core/readline.cpython-313-darwin.so": macho(),
        "core/_dbm.cpython-313-darwin.so": macho(),
        "core/_curses.cpython-313-darwin.so": macho(),
        "core/libncurses.6.dylib": macho(),
        "core/_testcapi.cpython-313-darwin.so": macho(),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in ("site", "library", "core")}


def test_only_what_parley_uses_is_chosen_of_qt_libraries_and_python(
    inputs_at: dict[str, Path],
) -> None:
    inputs_at["root"] = inputs_at["site"] / "nothing-of-ours"
    (inputs_at["root"] / "resources").mkdir(parents=True)
    found = {str(one.target): one.kind for one in chosen(**inputs_at)}
    found.pop("site-packages/app/settings/schema.json")
    framework = "site-packages/PySide6/Qt/lib/QtCore.framework/Versions/A"
    assert found == {
        "lib-dynload/_ssl.cpython-313-darwin.so": Kind.MACHINE,
        "lib-dynload/libssl.3.dylib": Kind.MACHINE,
        "os.py": Kind.CODE,
        f"{framework}/QtCore": Kind.MACHINE,
        f"{framework}/Resources/Info.plist": Kind.FILE,
        "site-packages/PySide6/Qt/plugins/platforms/libqcocoa.dylib": Kind.MACHINE,
        "site-packages/PySide6/QtCore.abi3.so": Kind.MACHINE,
        "site-packages/PySide6/__init__.py": Kind.REPLACEABLE_CODE,
        "site-packages/anyio/__init__.py": Kind.CODE,
        "site-packages/keyring-25.7.0.dist-info/entry_points.txt": Kind.FILE,
    }


def test_every_module_of_ours_goes_along(inputs_at: dict[str, Path]) -> None:
    found = {str(one.target) for one in chosen(ROOT, **inputs_at)}
    assert {
        "site-packages/ui/__main__.py",
        "site-packages/backend/__main__.py",
        "site-packages/app/settings/schema.json",
        "site-packages/resources/icons/parley.svg",
    } <= found
    assert "site-packages/backend/channels/conformance.py" not in found


def test_byte_code_depends_on_its_source_alone(tmp_path: Path) -> None:
    """Other names alive in the process, another order of hashes, another run: the same bytes."""
    source = inspect.getsource(functools).encode()
    alive: list[dict[str, object]] = []
    compiled = set()
    for _ in range(3):
        compiled.add(byte_code(source, "functools.py", is_checked=False))
        alive.append({"__name__": "functools"})
        exec(compile(source, "functools.py", "exec", dont_inherit=True), alive[-1])
    path = tmp_path / "functools.py"
    path.write_bytes(source)
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.pyc"
        work = tmp_path / "work.json"
        work.write_text(json.dumps([[str(path), str(target), "functools.py", False]]))
        subprocess.run(
            [sys.executable, compiling.__file__, str(work)],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
        compiled.add(target.read_bytes())
    (content,) = compiled
    assert marshal.loads(content[16:]) == compile(source, "functools.py", "exec", dont_inherit=True)


def test_constants_that_only_look_alike_stay_apart() -> None:
    source = b"found = [0.0, -0.0, 1, 1.0, True, 'a', b'a', (1, 'a'), (True, 'a'), 2 in {1, 2}]"
    told: dict[str, list[object]] = {}
    code = marshal.loads(byte_code(source, "told.py", is_checked=True)[16:])
    exec(code, told)
    plain: dict[str, list[object]] = {}
    exec(source, plain)
    assert repr(told["found"]) == repr(plain["found"])
