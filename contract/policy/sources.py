"""Owns reading a bundle's YAML and CSV sources into plain values with their line numbers.

It does not know what the values mean, and it never builds anything but text, lists and maps:
no tags, anchors or types of YAML's own, so that `no` stays the word no.
"""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

from contract.policy.problems import BundleError, BundleProblem

MAX_FILE_BYTES = 32 * 1024 * 1024


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
    from contract.policy.yaml_events import read_events  # not before it is needed: costs start

    return Document(*read_events(file, decode(file, content)))


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
