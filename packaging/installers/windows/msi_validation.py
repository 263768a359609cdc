"""Consistency of a package's tables, as Windows' own evaluators (ICE) would look for it.

It never mends anything: a fault stops the build.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from installers.faults import BuildFault
from installers.windows.msi_database import Table

# Column → the table whose key it holds; empty values are free. Shortcut.Icon_ and the like are
# told from their names: `Component_` refers to Component.
_REFERENCES = {
    ("Component", "Directory_"): "Directory",
    ("Directory", "Directory_Parent"): "Directory",
    ("Feature", "Directory_"): "Directory",
    ("RemoveFile", "DirProperty"): "Directory",
    ("Shortcut", "WkDir"): "Directory",
    ("Dialog", "Control_First"): "Control",
    ("Dialog", "Control_Default"): "Control",
    ("Dialog", "Control_Cancel"): "Control",
    ("Control", "Control_Next"): "Control",
    ("AppSearch", "Signature_"): "RegLocator",
}
_OF_ONE_DIALOG = frozenset(("Control_", "Control_First", "Control_Default", "Control_Cancel"))
_REGISTRY_KEY_PATH, _TRANSITIVE, _WIN64 = 4, 64, 256
_LONGEST_KEY = 72
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*|\{[0-9A-F-]{36}\}|[0-9]+")
_FOR_ERRORS = 0x10000
_NEEDED_DIALOGS = {"FilesInUse", "MsiRMFilesInUse", "ErrorDlg"}


def check(tables: Mapping[str, Table]) -> None:
    """Raise BuildFault with every fault found in the tables."""
    found = [
        *_keys(tables),
        *_lengths(tables),
        *_dangling(tables),
        *_components(tables),
        *_features(tables),
        *_files(tables),
        *_sequences(tables),
        *_dialogs(tables),
    ]
    if found:
        raise BuildFault("The package's tables are at fault: " + "; ".join(found) + ".")


def _keys(tables: Mapping[str, Table]) -> Iterator[str]:
    for table in tables.values():
        places = [table.column(name) for name in table.keys]
        counted = Counter(tuple(row[place] for place in places) for row in table.rows)
        for key, count in counted.items():
            if count > 1:
                yield f"{table.name} holds {'/'.join(key)} {count} times"
        if len(places) == 1 and table.types[places[0]] in ("s72", "s38"):
            yield from (
                f"{table.name}.{row[places[0]]} is no identifier"
                for row in table.rows
                if len(row[places[0]]) > _LONGEST_KEY or not _KEY.fullmatch(row[places[0]])
            )


def _lengths(tables: Mapping[str, Table]) -> Iterator[str]:
    """Find values that are missing or longer than their column (0 stands for any length)."""
    for table in tables.values():
        for place, kind in enumerate(table.types):
            longest = int(kind[1:]) if kind[0] in "sSlL" else 0
            where = f"{table.name}.{table.columns[place]}"
            for row in table.rows:
                if longest and len(row[place]) > longest:
                    yield f"{where} of {row[0]} is longer than {longest}"
                if kind[0] in "si" and not row[place]:
                    yield f"{where} of {row[0]} is empty"


def _dangling(tables: Mapping[str, Table]) -> Iterator[str]:
    for table in tables.values():
        for place, column in enumerate(table.columns):
            target = _REFERENCES.get((table.name, column), column.removesuffix("_"))
            if target == column or target not in tables:
                continue
            known = _known(tables[target])
            for row in table.rows:
                if row[place] and _referred(target, column, table, row, place) not in known:
                    yield f"{table.name}.{column} names {row[place]}, which {target} does not hold"


def _known(table: Table) -> set[tuple[str, ...]]:
    count = 2 if table.name == "Control" else 1
    return {tuple(row[:count]) for row in table.rows}


def _referred(
    target: str, column: str, table: Table, row: list[str], place: int
) -> tuple[str, ...]:
    if target == "Control" and (column in _OF_ONE_DIALOG or table.name == "Control"):
        return (row[0], row[place])
    return (row[place],)


def _components(tables: Mapping[str, Table]) -> Iterator[str]:
    files = {row["File"]: row["Component_"] for row in tables["File"].records()}
    entries = {row["Registry"]: row["Component_"] for row in tables["Registry"].records()}
    guids = Counter(row["ComponentId"] for row in tables["Component"].records())
    for row in tables["Component"].records():
        name, attributes = row["Component"], int(row["Attributes"])
        keys = entries if attributes & _REGISTRY_KEY_PATH else files
        if keys.get(row["KeyPath"]) != name:
            yield f"component {name} has no key path of its own"
        if not row["ComponentId"] or guids[row["ComponentId"]] > 1:
            yield f"component {name} has no GUID of its own"
        if not attributes & _WIN64:
            yield f"component {name} is not one of 64 bits"
        if bool(row["Condition"]) != bool(attributes & _TRANSITIVE):
            yield f"component {name} is conditional and not transitive, or the other way round"


def _features(tables: Mapping[str, Table]) -> Iterator[str]:
    held = Counter(row["Component_"] for row in tables["FeatureComponents"].records())
    for row in tables["Component"].records():
        if held[row["Component"]] != 1:
            yield f"component {row['Component']} belongs to {held[row['Component']]} features"


def _files(tables: Mapping[str, Table]) -> Iterator[str]:
    hashed = {row["File_"] for row in tables["MsiFileHash"].records()}
    records = tables["File"].records()
    for row in records:
        if (row["File"] in hashed) == bool(row["Version"]):
            yield f"file {row['FileName']} needs either a version or a hash"
    numbers = sorted(int(row["Sequence"]) for row in records)
    last = tables["Media"].records()[0]["LastSequence"]
    if numbers != list(range(1, len(records) + 1)) or last != str(len(records)):
        yield "the files' sequence has a hole"


def _sequences(tables: Mapping[str, Table]) -> Iterator[str]:
    """Find custom actions that never run, numbers used twice, a hive's wrong half."""
    used = {row[0] for name, table in tables.items() if "Sequence" in name for row in table.rows}
    used |= {
        row["Argument"] for row in tables["ControlEvent"].records() if row["Event"] == "DoAction"
    }
    for action in tables["CustomAction"].records():
        if action["Action"] not in used:
            yield f"action {action['Action']} never runs"
    for name in ("InstallExecuteSequence", "InstallUISequence"):
        counted = Counter(row["Sequence"] for row in tables[name].records())
        yield from (f"{name} uses {number} twice" for number, n in counted.items() if n > 1)
    for locator in tables["RegLocator"].records():
        if locator["Type"] != "18":
            yield f"search {locator['Signature_']} looks into the registry of 32 bits"
    for row in tables["Registry"].records():
        if "policies" in row["Key"].lower().split("\\"):
            yield f"registry row {row['Registry']} writes into policies"


def _dialogs(tables: Mapping[str, Table]) -> Iterator[str]:
    """Find what Windows Installer would miss when it opens a dialog (ICE20, ICE17)."""
    if "ListBox" not in tables:
        yield "the table ListBox is missing, which lists the programs that use files"
    for row in tables["Property"].records():
        if row["Property"] == "ErrorDialog":
            shown = [one for one in tables["Dialog"].records() if one["Dialog"] == row["Value"]]
            if not any(int(one["Attributes"]) & _FOR_ERRORS for one in shown):
                yield f"{row['Value']} is not in the style of a dialog for errors"
    names = {row[0] for row in tables["Dialog"].rows}
    yield from (f"dialog {name} is missing" for name in sorted(_NEEDED_DIALOGS - names))
    for event in tables["ControlEvent"].records():
        if event["Event"] in ("NewDialog", "SpawnDialog") and event["Argument"] not in names:
            yield f"{event['Dialog_']} opens {event['Argument']}, which is no dialog"
