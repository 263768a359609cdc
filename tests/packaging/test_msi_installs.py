"""Both Windows packages of a small bundle, installed, changed and removed under wine.

Not seen here, since wine 8 has none of it: the prompt for an administrator, Restart Manager,
application control, and parts that go at a repair because their property changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from installers.windows.msi import build_packages
from installers.windows.msi_identity import MACHINE
from tests.packaging.small_bundle import make_small_bundle, missing_tools, tree
from tests.packaging.wine_computer import REFUSED, Computer, new_computer

pytestmark = [
    pytest.mark.needs_packages,
    pytest.mark.skipif(bool(missing_tools()), reason=f"needs {missing_tools()}"),
    pytest.mark.timeout(1800),
]

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"


class Packages(NamedTuple):
    """The small bundle, and packages of it in two versions."""

    bundle: Path
    machine: Path
    user: Path
    newer_machine: Path


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Return packages of version 0.1.0, and of 0.1.1 with a changed and a dropped file."""
    folder = tmp_path_factory.mktemp("packages")
    bundle = make_small_bundle(folder)
    machine, user = build_packages(bundle, folder, "0.1.0")
    newer = folder / "newer"
    shutil.copytree(bundle, newer)
    (newer / "_internal" / "Readme.txt").write_text("newer")
    (newer / "_internal" / "PySide6" / "translations" / "a long file nam.json").unlink()
    (newer_machine,) = build_packages(newer, folder, "0.1.1", [MACHINE])
    return Packages(bundle, machine, user, newer_machine)


@pytest.fixture(scope="module")
def shared_computer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computer]:
    """Return a new computer; it is thrown away at the end, some hundred megabytes."""
    folder = tmp_path_factory.mktemp("wine") / "computer"
    computer = new_computer(folder)
    yield computer
    computer.wine.stop()
    shutil.rmtree(folder)


@pytest.fixture
def computer(shared_computer: Computer) -> Iterator[Computer]:
    """Return a computer without Parley; what a failed test left there is removed."""
    yield shared_computer
    for hive in ("HKLM", "HKCU"):
        for key in shared_computer.registry(rf"{hive}\{UNINSTALL}"):
            if "{" in key:
                shared_computer.msiexec("/x", key.rpartition("\\")[2])


def test_the_machines_package_installs_what_its_properties_say_and_leaves_nothing(
    computer: Computer, packages: Packages
) -> None:
    before = computer.state()
    given = {"BACKEND_URL": "https://parley.example.com", "AUTOSTART": 1, "DESKTOP_SHORTCUT": 1}
    assert computer.install(packages.machine, **given) == 0
    assert tree(computer.programs / "Parley") == tree(packages.bundle)
    program = r'"C:\\Program Files\\Parley\\parley.exe'
    assert computer.values(r"HKLM\Software\Parley") == {
        "BackendUrl": '"https://parley.example.com"',
        "EmbeddedBackend": "dword:00000000",
        "Autostart": "dword:00000001",
    }
    run = computer.values(rf"HKLM\{RUN}")["Parley"]
    assert run == rf'"\{program}\" --autostart"'
    scheme = computer.registry(r"HKLM\Software\Classes\parley")
    root = r"hkey_local_machine\software\classes\parley"
    assert scheme[root] == {"@": '"URL:Parley"', "URL Protocol": '""'}
    assert scheme[rf"{root}\shell\open\command"]["@"] == rf'"\{program}\" \"%1\""'
    assert [Path(path).name for path in computer.shortcuts()] == ["Parley.lnk"] * 2
    listed = computer.values(rf"HKLM\{UNINSTALL}\{MACHINE.product_code('0.1.0')}")
    assert listed["DisplayName"] == '"Parley"'
    assert listed["DisplayVersion"] == '"0.1.0"'
    assert listed["InstallLocation"] == r'"C:\\Program Files\\Parley\\"'
    assert listed["NoModify"] == "dword:00000001"
    assert computer.values(r"HKLM\Software\Policies\Parley") == {}
    assert computer.uninstall(packages.machine) == 0
    assert computer.state().since(before) == []


def test_the_persons_package_stays_in_the_persons_folders_and_keeps_their_data(
    computer: Computer, packages: Packages
) -> None:
    before = computer.state()
    assert computer.install(packages.user) == 0
    assert tree(computer.local_app_data / "Programs" / "Parley") == tree(packages.bundle)
    assert computer.values(r"HKCU\Software\Parley") == {
        "EmbeddedBackend": "dword:00000001",
        "Autostart": "dword:00000000",
    }
    assert computer.values(r"HKLM\Software\Parley") == {}
    assert computer.registry(r"HKCU\Software\Classes\parley\shell\open\command")
    assert "Parley" not in computer.values(rf"HKCU\{RUN}")
    data = computer.local_app_data / "Parley" / "outbox.db"
    data.parent.mkdir()
    data.write_text("kept")
    add = ["reg", "add", rf"HKCU\{RUN}", "/v", "Parley", "/d", "as the program itself writes it"]
    assert computer.wine.run(add).status == 0
    assert computer.uninstall(packages.user) == 0
    assert data.read_text() == "kept"
    shutil.rmtree(data.parent)
    assert computer.state().since(before) == []


def test_an_upgrade_keeps_what_was_chosen_and_an_older_version_is_refused(
    computer: Computer, packages: Packages
) -> None:
    before = computer.state()
    given = {"BACKEND_URL": "https://one.example.com", "AUTOSTART": 1, "EMBEDDED_BACKEND": 1}
    folder = r"C:\Inbox"
    assert computer.install(packages.machine, INSTALLDIR=folder, **given) == 0
    data = computer.local_app_data / "Parley" / "drafts.db"
    data.parent.mkdir()
    data.write_text("kept")
    assert computer.install(packages.newer_machine, DESKTOP_SHORTCUT=1) == 0
    installed = tree(computer.wine.drive_c / "Inbox")
    assert installed == tree(packages.bundle.with_name("newer"))
    assert computer.values(r"HKLM\Software\Parley") == {
        "BackendUrl": '"https://one.example.com"',
        "EmbeddedBackend": "dword:00000001",
        "Autostart": "dword:00000001",
    }
    assert len(computer.shortcuts()) == 2
    assert _listed_versions(computer) == ["0.1.1"]
    upgraded = computer.state()
    assert computer.install(packages.machine) == REFUSED
    assert computer.state().since(upgraded) == []
    assert data.read_text() == "kept"
    assert computer.uninstall(packages.newer_machine) == 0
    shutil.rmtree(data.parent)
    assert computer.state().since(before) == []


def _listed_versions(computer: Computer) -> list[str]:
    """Return the versions in Add/Remove Programs; wine 8 has one list for all."""
    entries = computer.registry(rf"HKLM\{UNINSTALL}").values()
    return [one["DisplayVersion"].strip('"') for one in entries if "DisplayVersion" in one]


def test_what_the_command_line_says_is_stronger_than_what_is_remembered(
    computer: Computer, packages: Packages
) -> None:
    given = {"BACKEND_URL": "https://one.example.com", "AUTOSTART": 1, "DESKTOP_SHORTCUT": 1}
    assert computer.install(packages.machine, **given) == 0
    changed = {"BACKEND_URL": "https://two.example.com", "AUTOSTART": 0, "DESKTOP_SHORTCUT": 0}
    assert computer.install(packages.newer_machine, **changed) == 0
    told = computer.values(r"HKLM\Software\Parley")
    assert told["BackendUrl"] == '"https://two.example.com"'
    assert told["Autostart"] == "dword:00000000"
    assert "Parley" not in computer.values(rf"HKLM\{RUN}")
    assert len(computer.shortcuts()) == 1
    assert computer.uninstall(packages.newer_machine) == 0


def test_a_repair_brings_back_deleted_and_damaged_files(
    computer: Computer, packages: Packages
) -> None:
    assert computer.install(packages.machine, BACKEND_URL="https://one.example.com") == 0
    folder = computer.programs / "Parley"
    (folder / "parley.exe").write_text("damaged")
    (folder / "_internal" / "Readme.txt").write_text("damaged")
    shutil.rmtree(folder / "_internal" / "PySide6")
    (folder / "parley.pkg").unlink()
    repair = {"REINSTALL": "ALL", "REINSTALLMODE": "amus"}
    assert computer.install(packages.machine, **repair, AUTOSTART=1) == 0
    assert tree(folder) == tree(packages.bundle)
    assert computer.values(r"HKLM\Software\Parley") == {
        "BackendUrl": '"https://one.example.com"',
        "EmbeddedBackend": "dword:00000000",
        "Autostart": "dword:00000001",
    }
    assert "Parley" in computer.values(rf"HKLM\{RUN}")
    assert computer.uninstall(packages.machine) == 0


def test_wrong_properties_are_refused_and_change_nothing(
    computer: Computer, packages: Packages
) -> None:
    before = computer.state()
    for wrong in (
        {"BACKEND_URL": "http://parley.example.com"},
        {"BACKEND_URL": "http://127.0.0.1.example.com"},
        {"AUTOSTART": "yes"},
        {"EMBEDDED_BACKEND": "2"},
    ):
        assert computer.install(packages.machine, **wrong) == REFUSED, wrong
    assert computer.install(packages.user, ALLUSERS=1) == REFUSED
    assert computer.state().since(before) == []


def test_neither_package_disturbs_the_other(computer: Computer, packages: Packages) -> None:
    """Shortcuts are left out: wine 8 has one folder of them for everyone and for a person."""
    before = computer.state()
    assert computer.install(packages.machine, BACKEND_URL="https://one.example.com") == 0
    machines = computer.registry(r"HKLM\Software\Parley")
    assert computer.install(packages.user) == 0
    assert "BackendUrl" not in computer.values(r"HKCU\Software\Parley")
    assert computer.uninstall(packages.user) == 0
    assert computer.registry(r"HKLM\Software\Parley") == machines
    assert tree(computer.programs / "Parley") == tree(packages.bundle)
    assert computer.install(packages.user, BACKEND_URL="http://127.0.0.1:8080") == 0
    assert computer.uninstall(packages.machine) == 0
    assert tree(computer.local_app_data / "Programs" / "Parley") == tree(packages.bundle)
    told = computer.values(r"HKCU\Software\Parley")
    assert told["BackendUrl"] == '"http://127.0.0.1:8080"'
    assert _listed_versions(computer) == ["0.1.0"]
    assert computer.uninstall(packages.user) == 0
    assert computer.state().since(before) == []
