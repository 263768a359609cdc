"""Owns reading a bundle's YAML and CSV sources into plain values with their line numbers.

It does not know what the values mean, and it never builds anything but text, lists and maps:
no tags, anchors or types of YAML's own, so that `no` stays the word no.
"""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import yaml

from contract.policy.problems import BundleError, BundleProblem

MAX_DEPTH = 12
MAX_FILE_BYTES = 32 * 1024 * 1024
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Document(NamedTuple):
    """A YAML document's value, with the line of each place such as `$.rules[0].action`."""

    value: object
    lines: dict[str, int]


class Row(NamedTuple):
    """One line of a CSV file by column name; absent columns are empty."""

    line: int
    values: dict[str, str]


def decode(file: str, content: bytes) -> str:
    """Return a source file's text; raises BundleError unless it is UTF-8 of a sane size."""
    if len(content) > MAX_FILE_BYTES:
        raise BundleError([BundleProblem(file, 0, "the file is larger than 32 MiB")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BundleError([BundleProblem(file, line, "the file is not UTF-8 text")]) from error


def read_yaml(file: str, content: bytes) -> Document:
    """Parse one YAML document; raises BundleError with the line of the first fault."""
    text = decode(file, content)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "not readable as YAML"
        line = mark.line + 1 if mark is not None else 0
        raise BundleError([BundleProblem(file, line, str(reason))]) from error
    return Document(builder.root, builder.lines)


def read_csv(
    file: str, content: bytes, required: tuple[str, ...], optional: tuple[str, ...]
) -> list[Row]:
    """Parse a CSV file with a header line; raises BundleError naming columns or lines at fault.

    Empty lines and lines whose first cell starts with # are left out.
    """
    reader = csv.reader(io.StringIO(decode(file, content), newline=""), strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            if _is_left_out(cells):
                continue
            if header is None:
                header = _header(file, reader.line_num, cells, required, optional)
                continue
            if len(cells) > len(header):
                reason = f"{len(cells)} cells under {len(header)} columns"
                raise BundleError([BundleProblem(file, reader.line_num, reason)])
            values = dict(zip(header, map(str.strip, cells), strict=False))
            rows.append(Row(reader.line_num, values))
    except csv.Error as error:
        raise BundleError([BundleProblem(file, reader.line_num, str(error))]) from error
    if header is None:
        raise BundleError([BundleProblem(file, 0, "the file has no header line")])
    return rows


def _is_left_out(cells: list[str]) -> bool:
    """Tell whether a line is empty or a comment; nearly all are told by their first character."""
    first = cells[0].lstrip() if cells else ""
    return first.startswith("#") or (not first and not any(cell.strip() for cell in cells))


def _header(
    file: str, line: int, cells: list[str], required: tuple[str, ...], optional: tuple[str, ...]
) -> list[str]:
    names = [cell.strip() for cell in cells]
    problems = [
        BundleProblem(file, line, f"unknown column '{name}'")
        for name in names
        if name not in required + optional
    ]
    problems += [
        BundleProblem(file, line, f"column '{name}' is missing")
        for name in required
        if name not in names
    ]
    if len(set(names)) != len(names):
        problems.append(BundleProblem(file, line, "a column stands twice"))
    if problems:
        raise BundleError(problems)
    return names


class _Builder:
    """Builds values from YAML events without recursion, so that no depth can exhaust the stack."""

    def __init__(self, file: str) -> None:
        self.root: object = None
        self.lines: dict[str, int] = {}
        self._file = file
        self._stack: list[tuple[dict[str, object] | list[object], str]] = []
        self._key: list[str | None] = []

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse(line, "anchors and aliases are not allowed")
        if getattr(event, "tag", None) and not getattr(event, "implicit", (True,)):
            self._refuse(line, "tags are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(line, event.value)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(line, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(line, [])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._stack.pop()
            self._key.pop()
        elif isinstance(event, yaml.DocumentStartEvent) and self.lines:
            self._refuse(line, "only one document is allowed")

    def _scalar(self, line: int, value: str) -> None:
        if self._stack and isinstance(self._stack[-1][0], dict) and self._key[-1] is None:
            if value in self._stack[-1][0]:
                self._refuse(line, f"'{value}' stands twice")
            self._key[-1] = value
            self.lines[f"{self._stack[-1][1]}.{value}"] = line
            return
        self._place(line, value)

    def _open(self, line: int, container: dict[str, object] | list[object]) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(line, f"nested deeper than {MAX_DEPTH}")
        path = self._place(line, container)
        self._stack.append((container, path))
        self._key.append(None)

    def _place(self, line: int, value: object) -> str:
        if not self._stack:
            self.root = value
            self.lines["$"] = line
            return "$"
        parent, parent_path = self._stack[-1]
        if isinstance(parent, list):
            parent.append(value)
            path = f"{parent_path}[{len(parent) - 1}]"
            self.lines[path] = line
            return path
        key = self._key[-1]
        if key is None:
            self._refuse(line, "a key has to be plain text")
            return parent_path
        parent[key] = value
        self._key[-1] = None
        return f"{parent_path}.{key}"

    def _refuse(self, line: int, reason: str) -> None:
        raise BundleError([BundleProblem(self._file, line, reason)])
