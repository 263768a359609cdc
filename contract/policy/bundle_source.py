"""Owns reading a bundle's header and rules into typed values, with the lines they stand on.

It does not compile terms or patterns, and it never reads a file itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import msgspec

from contract.policy.problems import BundleError, BundleProblem
from contract.policy.rules import Header, Rule, RulesFile
from contract.policy.sources import read_yaml

HEADER_FILE = "bundle.yaml"
RULES_FILE = "rules.yaml"
_AT_PATH = re.compile(r"^(?P<reason>.*?)(?: - at `(?:key in )?(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD_NAMED = re.compile(r"field `(?P<field>[^`]*)`")

_T = TypeVar("_T")


class BundleSource(NamedTuple):
    """A bundle's header and rules; `rule_lines` gives the line of each place in rules.yaml."""

    header: Header
    rules: tuple[Rule, ...]
    rule_lines: Mapping[str, int]

    def line_of(self, index: int, field: str = "") -> int:
        """Return the line of a rule, or of one of its fields when it has it."""
        place = f"$.rules[{index}]"
        return self.rule_lines.get(f"{place}.{field}", self.rule_lines.get(place, 0))


def read_source(files: Mapping[str, bytes]) -> BundleSource:
    """Read bundle.yaml and rules.yaml; raises BundleError with file, line and reason."""
    header, _ = _read(HEADER_FILE, files, Header)
    rules, lines = _read(RULES_FILE, files, RulesFile)
    return BundleSource(header, rules.rules, lines)


def need(files: Mapping[str, bytes], name: str) -> bytes:
    """Return one file's bytes; raises BundleError when it is missing."""
    content = files.get(name)
    if content is None:
        raise BundleError([BundleProblem(name, 0, "the file is missing")])
    return content


def _read(name: str, files: Mapping[str, bytes], kind: type[_T]) -> tuple[_T, dict[str, int]]:
    document = read_yaml(name, need(files, name))
    try:
        # YAML gives text only; strict=False reads numbers and truth values out of it.
        return msgspec.convert(document.value, kind, strict=False), document.lines
    except msgspec.ValidationError as error:
        raise BundleError([_located(name, str(error), document.lines)]) from error


def _located(file: str, message: str, lines: dict[str, int]) -> BundleProblem:
    match = _AT_PATH.match(message)
    assert match is not None
    reason, path = match.group("reason"), match.group("path") or "$"
    field = _FIELD_NAMED.search(reason)
    places = [path] if field is None else [f"{path}.{field.group('field')}", path]
    while path:
        places.append(path)
        path = path[: max(path.rfind("."), path.rfind("["))] if path != "$" else ""
    line = next((lines[place] for place in places if place in lines), 0)
    return BundleProblem(file, line, reason)
