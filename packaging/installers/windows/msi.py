"""Both Windows Installer packages, made from the Windows bundle on a machine without Windows.

It never builds the bundle, and adds no file to it: what is installed is what the bundle holds.
"""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from installers.inputs import source_date_epoch
from installers.places import BUNDLES, PACKAGES, PACKAGING, version
from installers.windows.cabinet import write_cabinet
from installers.windows.msi_database import Table, read_tables, table, tool, write_tables
from installers.windows.msi_dialogs import user_interface
from installers.windows.msi_files import complete_files
from installers.windows.msi_identity import (
    MANUFACTURER,
    VARIANTS,
    Variant,
    published_addresses,
)
from installers.windows.msi_payload import Payload, fragment, read_payload, write_stand_ins
from installers.windows.msi_sequences import ADDRESS_FAULTLESS, sequences
from installers.windows.msi_texts import UI_PROPERTIES, licence_rtf
from installers.windows.msi_validation import check
from installers.windows.resources import icon
from installers.windows.signing import sign

SOURCES = PACKAGING / "windows"
CABINET = "parley.cab"
_COMPONENTS = (
    "Defaults",
    "BackendAddress",
    "Memory",
    "Autostart",
    "UrlScheme",
    "StartMenu",
    "Desktop",
)
# Of the tables that nothing fills those stay that Windows Installer asks for or writes into.
_KEPT_EMPTY = frozenset(("Binary", "ListBox"))


def build() -> list[Path]:
    """Build and sign both packages into out/packages; return their paths; raises BuildFault."""
    return build_packages(BUNDLES / "windows", PACKAGES, version())


def build_packages(
    bundle: Path, target: Path, of_version: str, variants: Sequence[Variant] = VARIANTS
) -> list[Path]:
    """Build packages of a bundle into `target`, replacing older ones; raises BuildFault."""
    target.mkdir(parents=True, exist_ok=True)
    epoch_s = source_date_epoch()
    written: list[Path] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        payload = read_payload(bundle)
        write_stand_ins(payload, work / "files")
        packed = [(one.file_id, one.source) for one in payload.packed]
        write_cabinet(work / CABINET, packed, epoch_s)
        shutil.copyfile(SOURCES / "parley.wxs", work / "parley.wxs")
        shutil.copyfile(icon(), work / "parley.ico")
        for variant in variants:
            package = work / variant.file_name(of_version)
            _compile(work, package, payload, variant, of_version)
            _complete(package, payload, variant, of_version, epoch_s)
            tool("msibuild", package, "-a", CABINET, work / CABINET)
            sign(package)
            written.append(target / package.name)
            shutil.move(package, written[-1])
    return written


def _compile(
    work: Path, package: Path, payload: Payload, variant: Variant, of_version: str
) -> None:
    """Have wixl write the package's tables, as far as it knows them."""
    (work / "files.wxs").write_text(fragment(payload, variant), encoding="utf-8")
    variables = {
        "Variant": variant.name,
        "Version": of_version,
        "Manufacturer": MANUFACTURER,
        "ProductCode": variant.product_code(of_version),
        "UpgradeCode": variant.upgrade_code,
        "Hive": variant.hive,
        "Scope": variant.scope,
        "SizeKilobytes": str(payload.size_bytes // 1024),
        "AddressCondition": f"REMOVE OR {ADDRESS_FAULTLESS}",
        **{f"Guid{name}": variant.component_guid(name) for name in _COMPONENTS},
    }
    defined = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
    tool("wixl", "-a", "x64", *defined, "-o", package.name, "parley.wxs", "files.wxs", cwd=work)


def _complete(
    package: Path, payload: Payload, variant: Variant, of_version: str, epoch_s: int
) -> None:
    """Add what wixl can't write, check the tables as they stand in the file."""
    tables = read_tables(package)
    changed = complete_files(tables, payload, variant)
    changed += sequences(tables, variant, of_version)
    changed += user_interface(variant, licence_rtf(SOURCES / "licence.txt"))
    properties = tables["Property"]
    for name, value in {**UI_PROPERTIES, **published_addresses()}.items():
        properties.add(Property=name, Value=value)
    if variant.name == "machine":
        properties.add(Property="ALLUSERS", Value="1")
    standing = tables | {one.name: one for one in changed if one.name in tables}
    empty = [name for name, one in standing.items() if not one.rows and name not in _KEPT_EMPTY]
    summary = _summary(variant, of_version, payload.digest(), epoch_s)
    filled = [one for one in changed if one.rows or one.name in _KEPT_EMPTY]
    write_tables(package, [*filled, summary], empty)
    check(read_tables(package))


def _summary(variant: Variant, of_version: str, content: str, epoch_s: int) -> Table:
    """Return the summary information; numbers: Windows Installer SDK, "Summary Property"."""
    summary = table("_SummaryInformation", "PropertyId:i2 Value:l255")
    moment = datetime.datetime.fromtimestamp(epoch_s, datetime.UTC).strftime("%Y/%m/%d %H:%M:%S")
    compressed, no_elevation = 2, 8
    values: dict[int, str | int] = {
        1: 1252,
        2: "Installation Database",
        3: f"Parley {of_version} {variant.scope}",
        4: MANUFACTURER,
        5: "Installer",
        6: f"Installs Parley {variant.scope}.",
        7: "x64;1033",
        9: variant.package_code(of_version, content),
        12: moment,
        13: moment,
        14: 500,
        15: compressed | (no_elevation if variant.name == "user" else 0),
        18: "Parley's build",
        19: 2,
    }
    for number, value in values.items():
        summary.add(PropertyId=number, Value=value)
    return summary
