"""What both Windows packages say of themselves, read back from packages of a small bundle.

It never installs one: test_msi_installs.py does.
"""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from installers.faults import BuildFault
from installers.windows.msi import build_packages
from installers.windows.msi_database import Table, read_tables, tool
from installers.windows.msi_identity import MACHINE, USER, published_addresses
from installers.windows.msi_payload import read_payload
from installers.windows.msi_validation import check
from tests.packaging.small_bundle import make_small_bundle, missing_tools, tree
from ui.application import APP_USER_MODEL_ID

pytestmark = [
    pytest.mark.xdist_group("msi_tables"),
    pytest.mark.skipif(bool(missing_tools()), reason=f"needs {missing_tools()}"),
]
Tables = dict[str, Table]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a compiled bundle."""
    return make_small_bundle(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def packages(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the machine's and the person's package of version 0.1.0."""
    machine, user = build_packages(small, tmp_path_factory.mktemp("packages"), "0.1.0")
    return machine, user


@pytest.fixture(scope="module")
def machine(packages: tuple[Path, Path]) -> Tables:
    """Return the tables of the machine's package."""
    return read_tables(packages[0])


@pytest.fixture(scope="module")
def user(packages: tuple[Path, Path]) -> Tables:
    """Return the tables of the person's package."""
    return read_tables(packages[1])


def properties(tables: Tables) -> dict[str, str]:
    return {row["Property"]: row["Value"] for row in tables["Property"].records()}


def test_names_tell_version_and_for_whom(packages: tuple[Path, Path]) -> None:
    names = [path.name for path in packages]
    assert names == ["Parley-0.1.0-x64-machine.msi", "Parley-0.1.0-x64-user.msi"]


def test_a_second_build_is_byte_identical(
    small: Path, packages: tuple[Path, Path], tmp_path: Path
) -> None:
    for path in small.rglob("*"):
        path.touch()
    (again,) = build_packages(small, tmp_path, "0.1.0", [USER])
    assert again.read_bytes() == packages[1].read_bytes()


def test_the_cabinet_holds_the_bundle(
    small: Path, packages: tuple[Path, Path], tmp_path: Path
) -> None:
    tool("msiextract", "-C", tmp_path, packages[0])
    packed = tree(small)
    del packed["parley.pkg"]  # equal to the backend's, and written from it
    assert tree(tmp_path / "Parley") == packed


def test_codes_are_fixed_per_variant_and_new_per_version(machine: Tables, user: Tables) -> None:
    """Whoever changes an upgrade code cuts every installed Parley off from upgrades."""
    assert properties(machine)["UpgradeCode"] == "{7A9D2C7E-3B54-4E0B-9C8F-5E1D80B6A2F1}"
    assert properties(user)["UpgradeCode"] == "{C41E6B0A-92D7-4F63-8A15-D3F7B02E94C8}"
    assert properties(machine)["ProductCode"] == "{3FE19D90-598C-5F74-98D7-EA738E42737A}"
    assert MACHINE.product_code("0.1.1") != MACHINE.product_code("0.1.0")
    assert MACHINE.product_code("0.1.0") != USER.product_code("0.1.0")
    assert MACHINE.component_guid("file/a") != USER.component_guid("file/a")


def test_the_package_code_changes_with_the_contents(small: Path, tmp_path: Path) -> None:
    before = read_payload(small).digest()
    shutil.copytree(small, tmp_path / "other")
    (tmp_path / "other" / "_internal" / "Readme.txt").write_text("changed")
    after = read_payload(tmp_path / "other").digest()
    assert USER.package_code("0.1.0", after) != USER.package_code("0.1.0", before)


def test_large_equal_files_are_packed_once(machine: Tables) -> None:
    (copy,) = machine["DuplicateFile"].records()
    assert copy["DestName"].endswith("|parley.pkg") or copy["DestName"] == "parley.pkg"
    files = {row["File"]: row for row in machine["File"].records()}
    assert files[copy["File_"]]["FileName"].endswith("parley-backend.pkg")
    assert files[copy["File_"]]["Component_"] == copy["Component_"]


def test_only_the_machines_package_asks_for_an_administrator(packages: tuple[Path, Path]) -> None:
    machine, user = (tool("msiinfo", "suminfo", path) for path in packages)
    assert "Source: 2 (2)" in machine
    assert "Source: 10 (a)" in user
    assert "Template: x64;1033" in machine


def test_a_file_has_either_a_version_or_a_hash(machine: Tables) -> None:
    versions = {row["FileName"].split("|")[-1]: row for row in machine["File"].records()}
    assert versions["parley.exe"]["Version"] == "0.1.0.7"
    assert versions["parley.exe"]["Language"] == "1033"
    assert versions["parley-backend.exe"]["Version"] == ""
    hashed = {row["File_"] for row in machine["MsiFileHash"].records()}
    assert "parley.exe" not in hashed
    assert versions["parley-backend.exe"]["File"] in hashed
    assert len(hashed) == len(versions) - 1


def test_long_names_get_short_ones_that_differ(machine: Tables) -> None:
    names = [row["FileName"] for row in machine["File"].records()]
    assert "ALONGF~1.JSO|a long file nam.json" in names
    assert "ALONGF~2.JSO|a long file name.json" in names
    assert "Readme.txt" in names
    folders = [row["DefaultDir"] for row in machine["Directory"].records()]
    assert "INTERN~1|_internal" in folders or "_INTER~1|_internal" in folders


def test_everything_stands_in_the_view_of_64_bits(machine: Tables, user: Tables) -> None:
    for tables in (machine, user):
        assert {row["Type"] for row in tables["RegLocator"].records()} == {"18"}
        assert all(int(row["Attributes"]) & 256 for row in tables["Component"].records())


def test_public_properties_reach_the_elevated_half(machine: Tables) -> None:
    secure = properties(machine)["SecureCustomProperties"].split(";")
    assert {"BACKEND_URL", "AUTOSTART", "DESKTOP_SHORTCUT", "EMBEDDED_BACKEND"} <= set(secure)
    assert {"INSTALLDIR", "NEWER_PARLEY", "OLDER_PARLEY"} <= set(secure)


def test_the_sample_workspace_is_off_for_machines_and_on_for_a_person(
    machine: Tables, user: Tables
) -> None:
    for tables, default in ((machine, "0"), (user, "1")):
        actions = {row["Action"]: row["Target"] for row in tables["CustomAction"].records()}
        assert actions["DefaultEMBEDDED_BACKEND"] == default


def test_each_package_keeps_to_its_hive_and_out_of_policies(machine: Tables, user: Tables) -> None:
    for tables, root in ((machine, "2"), (user, "1")):
        rows = tables["Registry"].records()
        assert {row["Root"] for row in rows} == {root}
        assert not [row for row in rows if "policies" in row["Key"].lower()]


def test_add_remove_programs_gets_an_icon_a_size_and_no_change_button(machine: Tables) -> None:
    told = properties(machine)
    assert told["ARPPRODUCTICON"] == "parley.ico"
    assert told["ARPNOMODIFY"] == "1"
    assert int(told["ARPSIZE"]) > 0
    assert [row["Name"] for row in machine["Icon"].records()] == ["parley.ico"]


def test_addresses_of_the_firms_pages_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PARLEY_HELP_URL", "https://it.example.com/parley")
    monkeypatch.setenv("PARLEY_ABOUT_URL", "javascript:alert(1)")
    assert published_addresses() == {"ARPHELPLINK": "https://it.example.com/parley"}


def test_shortcuts_and_windows_are_one_program_to_the_taskbar(machine: Tables) -> None:
    told = {row["Shortcut_"]: row for row in machine["MsiShortcutProperty"].records()}
    assert set(told) == {"StartMenuShortcut", "DesktopShortcut"}
    assert {row["PropertyKey"] for row in told.values()} == {"System.AppUserModel.ID"}
    assert {row["PropVariantValue"] for row in told.values()} == {APP_USER_MODEL_ID}


def test_an_older_parley_goes_and_a_newer_one_is_only_found(machine: Tables) -> None:
    rules = {row["ActionProperty"]: row for row in machine["Upgrade"].records()}
    assert rules["OLDER_PARLEY"]["VersionMax"] == "0.1.0"
    assert rules["OLDER_PARLEY"]["Attributes"] == "257"
    assert rules["NEWER_PARLEY"]["VersionMin"] == "0.1.0"
    assert rules["NEWER_PARLEY"]["Attributes"] == "2"


def test_the_older_parley_goes_within_the_transaction(machine: Tables) -> None:
    order = {
        row["Action"]: int(row["Sequence"]) for row in machine["InstallExecuteSequence"].records()
    }
    assert order["AppSearch"] < order["LaunchConditions"] < order["RememberBACKEND_URL"]
    assert order["InstallInitialize"] < order["RemoveExistingProducts"] < order["InstallFiles"]


def test_the_licence_is_read_before_anything_is_asked(machine: Tables) -> None:
    texts = {(row["Dialog_"], row["Control"]): row["Text"] for row in machine["Control"].records()}
    licence = texts["WelcomeDlg", "Licence"]
    assert licence.startswith("{\\rtf1")
    assert "GNU Lesser General Public License" in licence
    first = min(
        (row for row in machine["InstallUISequence"].records() if row["Action"].endswith("Dlg")),
        key=lambda row: (int(row["Sequence"]) < 0, int(row["Sequence"])),
    )
    assert first["Action"] == "WelcomeDlg"


@pytest.mark.parametrize(
    ("name", "column", "value", "fault"),
    [
        ("Component", "KeyPath", "nothing", "has no key path of its own"),
        ("Component", "Directory_", "Nowhere", "which Directory does not hold"),
        ("Component", "Attributes", "0", "is not one of 64 bits"),
        ("FeatureComponents", "Component_", "Nothing", "belongs to 0 features"),
        ("File", "Version", "", "needs either a version or a hash"),
        ("Control", "Control_Next", "Nothing", "which Control does not hold"),
        ("Registry", "Key", r"Software\Policies\Parley", "writes into policies"),
        ("CustomAction", "Action", "Never", "never runs"),
        ("LaunchCondition", "Condition", "x" * 256, "is longer than 255"),
        ("RegLocator", "Type", "2", "registry of 32 bits"),
    ],
)
def test_a_fault_in_a_table_stops_the_build(
    machine: Tables, name: str, column: str, value: str, fault: str
) -> None:
    tables = copy.deepcopy(machine)
    tables[name].rows[0][tables[name].column(column)] = value
    with pytest.raises(BuildFault, match=fault):
        check(tables)


def test_a_bundle_without_the_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(BuildFault, match=r"holds no parley\.exe"):
        build_packages(tmp_path / "bundle", tmp_path, "0.1.0")


def test_a_link_in_the_bundle_is_refused(small: Path, tmp_path: Path) -> None:
    shutil.copytree(small, tmp_path / "other")
    (tmp_path / "other" / "link").symlink_to("parley.exe")
    with pytest.raises(BuildFault, match="can't hold link"):
        build_packages(tmp_path / "other", tmp_path, "0.1.0")
