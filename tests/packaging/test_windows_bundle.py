"""The programs for Windows, run in wine: the self-test, signatures, what is in the folder.

They run what `make test-packaging` has built, each prefix a new one; nothing here needs a window.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.version import CLIENT_VERSION
from app.settings.sources import INSTALLER_KEY_WINDOWS, POLICIES_KEY_WINDOWS
from installers.faults import BuildFault
from installers.places import ROOT
from installers.windows import resources, signing, wine
from installers.windows.bundle import MAX_BUNDLE_BYTES, PROGRAMS, check
from installers.windows.wine import Ran, Wine
from tests.channels.peers import free_port
from tests.packaging.conftest import Built
from tests.support.firm_backend import FirmBackend

pytestmark = [pytest.mark.needs_packages, pytest.mark.timeout(1800)]

RUN_S = 600.0
GRAPHICAL, CONSOLE = 2, 3  # IMAGE_SUBSYSTEM_WINDOWS_GUI and _CUI


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    made = wine.prepare(tmp_path_factory.mktemp("windows") / "computer")
    yield made
    made.stop()
    shutil.rmtree(made.folder)  # 700 MB that nobody looks at afterwards


@pytest.fixture
def folder(bundle: Built) -> Path:
    return bundle("windows")


@pytest.fixture
def authority() -> Path:
    whose = signing.identity()
    if whose is None:
        pytest.skip(signing.UNSIGNED)
    return whose.certificate


def run(windows: Wine, folder: Path, program: str, *words: str | Path) -> Ran:
    return windows.run([folder / f"{program}.exe", *words], timeout_s=RUN_S)


def selftest(windows: Wine, folder: Path, home: Path) -> tuple[int, dict[str, Any]]:
    """Run the self-test with its data below `home`; return its status and its document."""
    found = home / "found.json"
    ran = run(
        windows, folder, "parley", "--selftest", "--json", "--output", found, "--data-dir", home
    )
    assert found.is_file(), ran
    told: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return ran.status, told


def all_well(status: int, told: dict[str, Any]) -> bool:
    """Tell whether the self-test found everything in order, its eight checks at least."""
    checks = told["checks"]
    return status == 0 and len(checks) >= 8 and all(one["status"] == "ok" for one in checks)


def set_value(windows: Wine, key: str, name: str, text: str) -> None:
    kind = "REG_MULTI_SZ" if name.endswith("Keys") else "REG_SZ"
    command = ["reg", "add", rf"HKLM\{key}", "/v", name, "/t", kind, "/d", text, "/f"]
    assert windows.run(command).status == 0


def test_windowed_program_prints_into_a_pipe(windows: Wine, folder: Path) -> None:
    ran = run(windows, folder, "parley", "--version")
    assert (ran.status, ran.output.strip()) == (0, f"Parley {CLIENT_VERSION}")


def test_selftest_passes_with_the_embedded_backend(
    windows: Wine, folder: Path, tmp_path: Path
) -> None:
    status, told = selftest(windows, folder, tmp_path)
    assert all_well(status, told), told


def test_selftest_passes_with_the_firms_backend_that_the_registry_names(
    windows: Wine, folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    with FirmBackend(tmp_path / "bank", port=port) as firm:
        token = tmp_path / "token"
        token.write_text(firm.add_employee("emp-anna", "Anna Keller"))
        firm.start()
        set_value(windows, INSTALLER_KEY_WINDOWS, "BackendUrl", f"http://127.0.0.1:{port}")
        for name, value in firm.client_settings().items():
            text = value if isinstance(value, str) else r"\0".join(value)
            set_value(windows, POLICIES_KEY_WINDOWS, name, text)
        try:
            home = tmp_path / "home"
            home.mkdir()
            signed_in = run(windows, folder, "parley", "--sign-in", token, "--data-dir", home)
            assert signed_in.status == 0, signed_in
            status, told = selftest(windows, folder, home)
        finally:
            for key in (INSTALLER_KEY_WINDOWS, POLICIES_KEY_WINDOWS):
                windows.run(["reg", "delete", rf"HKLM\{key}", "/f"])
    assert all_well(status, told), told
    origins = {one["key"]: one["origin"] for one in told["settings"]}
    assert (origins["BackendUrl"], origins["LogVerifierKey"]) == ("installer", "managed")


def test_without_an_address_and_the_embedded_backend_it_is_for_it_to_mend(
    windows: Wine, folder: Path, tmp_path: Path
) -> None:
    off = ["/v", "EmbeddedBackend", "/t", "REG_DWORD", "/d", "0", "/f"]
    assert windows.run(["reg", "add", rf"HKLM\{INSTALLER_KEY_WINDOWS}", *off]).status == 0
    try:
        status, told = selftest(windows, folder, tmp_path)
    finally:
        windows.run(["reg", "delete", rf"HKLM\{INSTALLER_KEY_WINDOWS}", "/f"])
    assert status == 20
    assert "isn't set up on this computer" in told["checks"][0]["sentence"]


def test_every_program_and_library_carries_our_signature(folder: Path, authority: Path) -> None:
    files = signing.native_files(folder)
    assert len(files) > 60
    for path in files:
        signing.verify(path, authority)


def test_changed_byte_breaks_a_signature(folder: Path, authority: Path, tmp_path: Path) -> None:
    (library,) = folder.rglob("Qt6Core.dll")
    for path in (folder / "parley.exe", library):
        changed = tmp_path / path.name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        changed.write_bytes(content)
        with pytest.raises(BuildFault, match="changed after it was signed"):
            signing.verify(changed, authority)


def test_signing_again_gives_the_same_bytes(authority: Path, tmp_path: Path) -> None:
    unsigned = wine.building().drive_c / "windows" / "system32" / "icuuc.dll"
    signed = []
    for name in ("one.dll", "two.dll"):
        path = Path(shutil.copyfile(unsigned, tmp_path / name))
        with pytest.raises(BuildFault, match="not signed"):
            signing.verify(path, authority)
        signing.sign(path)
        signing.verify(path, authority)
        signed.append(path.read_bytes())
    assert signed[0] == signed[1]


def test_without_a_certificate_the_build_says_that_it_is_unsigned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in (signing.CERTIFICATE_VARIABLE, signing.KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    assert not signing.sign(tmp_path / "untouched.exe")
    assert "Unsigned preview" in capsys.readouterr().out
    monkeypatch.setenv(signing.CERTIFICATE_VARIABLE, str(tmp_path / "alone.pem"))
    with pytest.raises(BuildFault, match="set both"):
        signing.sign(tmp_path / "untouched.exe")


def test_bundle_is_small_and_holds_nothing_of_wine_or_the_build(folder: Path) -> None:
    check(folder)
    assert sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) < MAX_BUNDLE_BYTES
    names = [path.relative_to(folder).as_posix().lower() for path in folder.rglob("*")]
    assert len(names) == len(set(names))  # Windows knows no capitals
    assert [name for name in names if name.rpartition("/")[2] == "vcruntime140.dll"] == [
        "_internal/vcruntime140.dll"
    ]
    assert not [name for name in names if name.endswith(("python.exe", "_wmi.pyd"))]
    own = str(ROOT).encode()
    for program in PROGRAMS:
        content = (folder / f"{program}.exe").read_bytes()
        assert own not in content and own.replace(b"/", b"\\") not in content


@pytest.mark.parametrize(
    ("program", "subsystem"), [("parley", GRAPHICAL), ("parley-backend", CONSOLE)]
)
def test_program_tells_windows_what_it_is(folder: Path, program: str, subsystem: int) -> None:
    content = (folder / f"{program}.exe").read_bytes()
    (start,) = struct.unpack_from("<I", content, 0x3C)
    assert struct.unpack_from("<H", content, start + 24 + 68) == (subsystem,)
    for wanted in (b"PerMonitorV2", b"longPathAware", b'level="asInvoker"'):
        assert wanted in content
    for text in (f"{program}.exe", CLIENT_VERSION, "ProductName"):
        assert text.encode("utf-16-le") in content
    icon = resources.icon().read_bytes()
    (largest_at,) = struct.unpack_from("<I", icon, 6 + 16 * (len(resources.ICON_SIZES_PX) - 1) + 12)
    assert icon[largest_at:] in content


def test_icon_is_rendered_from_our_drawing_alike_each_time() -> None:
    first = resources.icon().read_bytes()
    count = struct.unpack_from("<HHH", first)[2]
    sizes = [struct.unpack_from("<B", first, 6 + 16 * index)[0] or 256 for index in range(count)]
    assert (count, tuple(sizes)) == (len(resources.ICON_SIZES_PX), resources.ICON_SIZES_PX)
    assert resources.icon().read_bytes() == first
    assert "QT_QPA_PLATFORM" in os.environ  # the tests' own surroundings: no display is needed
