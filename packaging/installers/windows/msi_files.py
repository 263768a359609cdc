"""What wixl leaves out of the tables of files: versions, short names, transitive parts, removal.

It never changes which files a package holds, nor their order in its cabinet.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping
from pathlib import PurePosixPath

from installers.windows.msi_database import Table, table
from installers.windows.msi_identity import Variant
from installers.windows.msi_payload import MAIN_PROGRAM, Payload, PayloadFile
from installers.windows.pe_version import file_version

# The program gives itself the same identity at its start.
APP_USER_MODEL_ID = "Parley.Desktop"

_SHORT = re.compile(r"[A-Z0-9_$~!#%&{}()@'`^-]{1,8}(\.[A-Z0-9_$~!#%&{}()@'`^-]{1,3})?", re.I)
_TRANSITIVE, _WIN64 = 64, 256
_REMOVE_ON_UNINSTALL = "2"
_OWN_FOLDERS = ("INSTALLDIR", "UserProgramsFolder")
# Parts that come and go with a property, also at a repair: their component and its condition.
_CONDITIONS = {
    "BackendAddress": "BACKEND_URL",
    "Autostart": "AUTOSTART = 1",
    "Desktop": "DESKTOP_SHORTCUT = 1",
}
# A key that is the package's alone: gone with all it holds when its component goes. Keys that
# hold values and no further keys need no such row: they go with their last value.
_OWN_KEYS = {"UrlScheme": r"Software\Classes\parley"}


def complete_files(tables: Mapping[str, Table], payload: Payload, variant: Variant) -> list[Table]:
    """Complete the tables in place and return those that changed or are new."""
    hashes = _contents(tables["File"], payload.packed)
    _short_names(tables["File"], "FileName", "Component_", _folder_of(tables["Component"]))
    _short_names(tables["Directory"], "DefaultDir", "Directory_Parent", {})
    _components(tables["Component"])
    _own_keys(tables["Registry"], variant)
    _search_64_bits(tables["RegLocator"])
    _fixed_feature(tables["Feature"])
    changed = ("File", "Directory", "Component", "Registry", "RegLocator", "Feature")
    new = [hashes, _copies(payload), _folder_removal(tables), _made_folders(tables)]
    new.append(_shortcut_identity(tables["Shortcut"]))
    return [*(tables[name] for name in changed), *new]


def _contents(file: Table, files: list[PayloadFile]) -> Table:
    """Fill in sizes, versions and the cabinet's order; return the hashes of unversioned files.

    A versioned file has no hash: Windows would compare the two and could lose it in an upgrade.
    """
    hashes = table(
        "MsiFileHash",
        "File_:s72 Options:i2 HashPart1:i4 HashPart2:i4 HashPart3:i4 HashPart4:i4",
    )
    rows = {row[0]: row for row in file.rows}
    for number, one in enumerate(files, start=1):
        row = rows[one.file_id]
        row[file.column("FileSize")] = str(one.size_bytes)
        row[file.column("Sequence")] = str(number)
        told = file_version(one.source)
        if told is not None:
            row[file.column("Version")] = told.version
            row[file.column("Language")] = told.language
        else:
            hashes.rows.append([one.file_id, "0", *_hash_parts(one)])
    return hashes


def _hash_parts(one: PayloadFile) -> list[str]:
    """Return the MD5 as four signed numbers; an empty file's is zero (MsiGetFileHash)."""
    if not one.size_bytes:
        return ["0"] * 4
    found = hashlib.md5(one.source.read_bytes(), usedforsecurity=False).digest()
    return [str(part) for part in struct.unpack("<4i", found)]


def _copies(payload: Payload) -> Table:
    """Return the files that are written as copies of others."""
    copies = table(
        "DuplicateFile", "FileKey:s72 Component_:s72 File_:s72 DestName:L255 DestFolder:S72"
    )
    for copy, original in payload.copies.items():
        name = copy.path.name
        copies.add(
            FileKey=copy.file_id,
            Component_=original.component_id,
            File_=original.file_id,
            DestName=name if _SHORT.fullmatch(name) else f"{_short_copy(copy)}|{name}",
        )
    return copies


def _short_copy(copy: PayloadFile) -> str:
    """Return a short name that no file of the File table has: it begins with its key's digits."""
    return f"{copy.file_id[2:10].upper()}{PurePosixPath(copy.path.name).suffix[:4].upper()}"


def _folder_of(component: Table) -> dict[str, str]:
    return {row["Component"]: row["Directory_"] for row in component.records()}


def _short_names(named: Table, column: str, group_column: str, groups: Mapping[str, str]) -> None:
    """Write `SHORT~1.EXT|long name.ext` where a long name is no short one; unique per folder."""
    name_at, group_at = named.column(column), named.column(group_column)
    taken: set[tuple[str, str]] = set()
    for row in sorted(named.rows, key=lambda row: row[name_at]):
        name = row[name_at]
        if not row[group_at] or name in (".", "SourceDir"):
            continue
        group = groups.get(row[group_at], row[group_at])
        if _SHORT.fullmatch(name):
            taken.add((group, name.upper()))
    for row in sorted(named.rows, key=lambda row: row[name_at]):
        name = row[name_at]
        if not row[group_at] or name in (".", "SourceDir") or _SHORT.fullmatch(name):
            continue
        row[name_at] = f"{_free(name, groups.get(row[group_at], row[group_at]), taken)}|{name}"


def _free(name: str, group: str, taken: set[tuple[str, str]]) -> str:
    stem, dot, extension = name.upper().rpartition(".")
    if not dot:
        stem, extension = extension, ""
    stem, extension = (re.sub(r"[^A-Z0-9_]", "", part) for part in (stem, extension))
    number = 1
    while True:
        tail = f"~{number}"
        short = (
            (stem or "FILE")[: 8 - len(tail)] + tail + (f".{extension[:3]}" if extension else "")
        )
        if (group, short) not in taken:
            taken.add((group, short))
            return short
        number += 1


def _components(component: Table) -> None:
    condition, attributes = component.column("Condition"), component.column("Attributes")
    for row in component.rows:
        if row[0] in _CONDITIONS:
            row[condition] = _CONDITIONS[row[0]]
            row[attributes] = str(int(row[attributes]) | _TRANSITIVE)
        row[attributes] = str(int(row[attributes]) | _WIN64)


def _own_keys(registry: Table, variant: Variant) -> None:
    for component, key in _OWN_KEYS.items():
        registry.add(
            Registry=f"Whole{component}",
            Root=variant.root,
            Key=key,
            Name="-",
            Component_=component,
        )


def _search_64_bits(locator: Table) -> None:
    """Search the 64-bit registry for raw values (RegLocator types 2 and 16)."""
    kind = locator.column("Type")
    for row in locator.rows:
        row[kind] = "18"


def _fixed_feature(feature: Table) -> None:
    """Keep the one feature from being advertised (8) or left out (16)."""
    for row in feature.rows:
        row[feature.column("Attributes")] = "24"


def _folder_removal(tables: Mapping[str, Table]) -> Table:
    """Return the rows that remove each folder of ours once it is empty, the deepest first."""
    parents = {row["Directory"]: row["Directory_Parent"] for row in tables["Directory"].records()}
    components = _folder_of(tables["Component"])
    depths: dict[str, int] = {}
    owner: dict[str, str] = {}
    for component, directory in components.items():
        chain = [directory]
        while chain[-1] not in ("TARGETDIR", ""):
            chain.append(parents[chain[-1]])
        for index, folder in enumerate(reversed(chain)):
            if folder in _OWN_FOLDERS or folder.startswith("d_"):
                depths[folder] = index
                owner.setdefault(folder, component)
    removal = table(
        "RemoveFile", "FileKey:s72 Component_:s72 FileName:L255 DirProperty:s72 InstallMode:i2"
    )
    for number, folder in enumerate(sorted(depths, key=lambda name: (-depths[name], name))):
        removal.add(
            FileKey=f"r_{number:04}",
            Component_=owner[folder],
            DirProperty=folder,
            InstallMode=_REMOVE_ON_UNINSTALL,
        )
    return removal


def _made_folders(tables: Mapping[str, Table]) -> Table:
    """Return the folders that are removed, when empty, after all files are gone."""
    main = next(
        row["Component_"] for row in tables["File"].records() if row["File"] == MAIN_PROGRAM
    )
    known = {row["Directory"] for row in tables["Directory"].records()}
    made = table("CreateFolder", "Directory_:s72 Component_:s72", keys=2)
    for folder in _OWN_FOLDERS:
        if folder in known:
            made.add(Directory_=folder, Component_=main)
    return made


def _shortcut_identity(shortcuts: Table) -> Table:
    """Return what ties the shortcuts to the program's windows in the taskbar."""
    identity = table(
        "MsiShortcutProperty",
        "MsiShortcutProperty:s72 Shortcut_:s72 PropertyKey:s255 PropVariantValue:s255",
    )
    for row in shortcuts.records():
        identity.add(
            MsiShortcutProperty=f"{row['Shortcut']}Identity",
            Shortcut_=row["Shortcut"],
            PropertyKey="System.AppUserModel.ID",
            PropVariantValue=APP_USER_MODEL_ID,
        )
    return identity
