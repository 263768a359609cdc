"""Owns building plain values from the events of a YAML text, with the line of each place.

It never makes anything but text, lists and mappings, and takes no anchors, aliases or tags.
"""

from __future__ import annotations

import yaml

from contract.policy.problems import BundleError, BundleProblem

MAX_DEPTH = 12

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_events(file: str, text: str) -> tuple[object, dict[str, int]]:
    """Return a document's value, and the line of each place in it; raises BundleError."""
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "not readable as YAML"
        line = mark.line + 1 if mark is not None else 0
        raise BundleError([BundleProblem(file, line, str(reason))]) from error
    return builder.root, builder.lines


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
