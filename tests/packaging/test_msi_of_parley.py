"""The machine's package of Parley itself under wine, from installation to removal.

It never looks at the person's package: the small bundle's tests do.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.settings.sources import POLICIES_KEY_WINDOWS
from installers.places import version
from installers.windows import signing
from installers.windows.msi import build_packages
from installers.windows.msi_identity import MACHINE
from tests.channels.peers import free_port
from tests.packaging.conftest import Built
from tests.packaging.small_bundle import tree
from tests.packaging.wine_computer import REFUSED, Computer, new_computer
from tests.support.firm_backend import FirmBackend

pytestmark = [pytest.mark.needs_packages, pytest.mark.timeout(1800)]

RUN_S = 600.0
MAX_PACKAGE_BYTES = 45_000_000


@pytest.fixture
def machine(package: Built) -> Path:
    """Return the built package for machines."""
    return package("Parley-{v}-x64-machine.msi")


def test_the_packages_are_small_and_signed_by_whoever_signed_the_programs(
    package: Built, machine: Path
) -> None:
    both = (machine, package("Parley-{v}-x64-user.msi"))
    assert all(path.stat().st_size < MAX_PACKAGE_BYTES for path in both)
    whose = signing.identity()
    if whose is None:
        pytest.skip(signing.UNSIGNED)
    for path in both:
        signing.verify(path, whose.certificate)


def test_parley_lives_through_installation_upgrade_downgrade_repair_and_removal(
    machine: Path, bundle: Built, tmp_path: Path
) -> None:
    computer = new_computer(tmp_path / "computer")
    program = computer.programs / "Parley"
    port = free_port()
    before = computer.state()
    with FirmBackend(tmp_path / "bank", port=port) as firm:
        token = tmp_path / "token"
        token.write_text(firm.add_employee("emp-anna", "Anna Keller"))
        firm.start()
        _set_policies(computer, firm)
        given = {"BACKEND_URL": f"http://127.0.0.1:{port}", "DESKTOP_SHORTCUT": 1}
        assert computer.install(machine, **given) == 0
        assert tree(program) == tree(bundle("windows"))
        signed_in = _run(computer, "--sign-in", token)
        assert signed_in == 0
        _passes_its_self_test(computer, tmp_path)
        data = computer.local_app_data / "Parley"
        kept = {path for path in tree(data) if path.endswith(".db")}
        assert kept

        newer = _newer(bundle("windows"), tmp_path)
        assert computer.install(newer, AUTOSTART=1) == 0
        assert tree(program) == tree(bundle("windows"))
        assert kept <= tree(data).keys()
        told = computer.values(r"HKLM\Software\Parley")
        assert told["BackendUrl"] == f'"http://127.0.0.1:{port}"'
        assert len(computer.shortcuts()) == 2
        _passes_its_self_test(computer, tmp_path)

    upgraded = computer.state()
    assert computer.install(machine) == REFUSED
    assert computer.state().since(upgraded) == []

    (program / "_internal" / "PySide6" / "Qt6Core.dll").write_bytes(b"damaged")
    shutil.rmtree(program / "_internal" / "resources")
    for carried in program.glob("*.pkg"):
        carried.unlink()
    assert computer.install(newer, REINSTALL="ALL", REINSTALLMODE="amus") == 0
    assert tree(program) == tree(bundle("windows"))

    assert computer.uninstall(newer) == 0
    assert kept <= tree(data).keys()
    shutil.rmtree(data)
    _clear_policies(computer)
    left = [one for one in computer.state().since(before) if not _is_the_users(one)]
    assert left == []
    shutil.rmtree(tmp_path / "computer")


def _newer(bundle: Path, folder: Path) -> Path:
    """Build the package of the same bundle with the next version."""
    major, minor, patch = version().split(".")
    (package,) = build_packages(bundle, folder, f"{major}.{minor}.{int(patch) + 1}", [MACHINE])
    return package


def _set_policies(computer: Computer, firm: FirmBackend) -> None:
    for name, value in firm.client_settings().items():
        kind = "REG_MULTI_SZ" if name.endswith("Keys") else "REG_SZ"
        text = value if isinstance(value, str) else r"\0".join(value)
        words = ["/v", name, "/t", kind, "/d", text, "/f"]
        added = computer.wine.run(["reg", "add", rf"HKLM\{POLICIES_KEY_WINDOWS}", *words])
        assert added.status == 0


def _clear_policies(computer: Computer) -> None:
    computer.wine.run(["reg", "delete", rf"HKLM\{POLICIES_KEY_WINDOWS}", "/f"])


def _run(computer: Computer, *words: str | Path) -> int:
    program = computer.programs / "Parley" / "parley.exe"
    return computer.wine.run([program, *words], timeout_s=RUN_S).status


def _passes_its_self_test(computer: Computer, folder: Path) -> None:
    found = folder / "found.json"
    found.unlink(missing_ok=True)
    status = _run(computer, "--selftest", "--json", "--output", found)
    assert found.is_file(), status
    told: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    assert status == 0, told
    assert all(one["status"] == "ok" for one in told["checks"]), told
    origins = {one["key"]: one["origin"] for one in told["settings"]}
    assert origins["BackendUrl"] == "installer"


def _is_the_users(entry: str) -> bool:
    """Tell what belongs to whoever used Parley, not to its installation."""
    return "parley" not in entry.lower() and ("user/software\\" in entry or "/users/" in entry)
