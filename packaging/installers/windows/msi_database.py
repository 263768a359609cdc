"""The tables of a Windows Installer package, read and written as text with msitools.

It knows no table's meaning: what belongs into them is decided by its callers.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from installers.faults import BuildFault

# How the package stores text; the tools themselves read and write UTF-8.
CODE_PAGE = "cp1252"

Row = list[str]

# The text format marks what would break a line (Windows Installer SDK, "Text Archive Files").
_FORBIDDEN = frozenset("\0\b\t\n\f\r")


@dataclass(slots=True)
class Table:
    """One table: columns with their types (`s72`, `I2`, `L0` …), primary keys, rows of text."""

    name: str
    columns: list[str]
    types: list[str]
    keys: list[str]
    rows: list[Row] = field(default_factory=list)

    def column(self, name: str) -> int:
        """Return a column's place; raises ValueError when there is none of that name."""
        return self.columns.index(name)

    def add(self, **values: str | int) -> None:
        """Append a row by column names; what is not named stays empty."""
        row = [""] * len(self.columns)
        for name, value in values.items():
            row[self.column(name)] = str(value)
        self.rows.append(row)

    def records(self) -> list[dict[str, str]]:
        """Return the rows as dictionaries, for reading only."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def text(self) -> str:
        """Return the table as Windows Installer's text archive; raises BuildFault."""
        lines = [self.columns, self.types, [self.name, *self.keys], *self.rows]
        for row in lines:
            if any(_FORBIDDEN & set(value) for value in row):
                raise BuildFault(f"{self.name} holds a line break or a tab: {row!r}.")
        return "".join("\t".join(row) + "\r\n" for row in lines)


def table(name: str, columns: str, keys: int = 1) -> Table:
    """Return an empty table; `columns` is `Name:type Name:type …`, the first `keys` are its key."""
    pairs = [one.partition(":") for one in columns.split()]
    names = [name for name, _, _ in pairs]
    return Table(name, names, [kind for _, _, kind in pairs], names[:keys])


def tool(*command: str | Path, cwd: Path | None = None) -> str:
    """Run one of msitools in UTC and return what it printed; raises BuildFault."""
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise BuildFault(f"{command[0]} is not installed: run .ci/packaging-tools.") from error
    told = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode != 0 or "CRITICAL" in told or "rror" in told:
        raise BuildFault(f"{command[0]} failed: {told or f'exit code {done.returncode}'}")
    return done.stdout.decode("utf-8")


def read_tables(package: Path) -> dict[str, Table]:
    """Return all tables of a package by their names, without its streams; raises BuildFault."""
    names = tool("msiinfo", "tables", package).split()
    with tempfile.TemporaryDirectory() as folder:  # streams are exported there, unasked
        return {
            name: _parsed(tool("msiinfo", "export", package.absolute(), name, cwd=Path(folder)))
            for name in names
            if not name.startswith("_")
        }


def write_tables(package: Path, tables: Iterable[Table], dropped: Iterable[str] = ()) -> None:
    """Replace tables in a package, or add them, and drop others; raises BuildFault."""
    queries = [f"DROP TABLE `{name}`" for name in dropped]
    if queries:
        tool("msibuild", package, "-q", *queries)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "_ForceCodepage.idt"]
        files[0].write_bytes(f"\r\n\r\n{CODE_PAGE.removeprefix('cp')}\t_ForceCodepage\r\n".encode())
        for one in tables:
            files.append(Path(folder) / f"{one.name}.idt")
            files[-1].write_bytes(one.text().encode("utf-8"))
        tool("msibuild", package, "-i", *files)


def _parsed(text: str) -> Table:
    lines = [line.removesuffix("\r").split("\t") for line in text.split("\n") if line]
    columns, types, (name, *keys), *rows = lines
    return Table(name, columns, types, keys, rows)
