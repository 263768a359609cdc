"""Collects every SQL statement of the store: its modules' constants and what stands in calls.

It never runs a statement; whoever watches a running store adds what is built only then.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import TextClause

import app.store

_SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", re.IGNORECASE)


def all_statements() -> dict[str, str]:
    """Return each statement with the place it stands at: `module._NAME` or `module:line`."""
    found: dict[str, str] = {}
    for info in pkgutil.iter_modules(app.store.__path__):
        module = importlib.import_module(f"app.store.{info.name}")
        for name, value in vars(module).items():
            for sql in _texts(value):
                found.setdefault(sql, f"{info.name}.{name}")
        source = Path(str(module.__file__))
        for sql, line in _inline(ast.parse(source.read_text("utf-8"))):
            found.setdefault(sql, f"{info.name}:{line}")
    return found


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, TextClause):
        yield str(value.text)
    elif isinstance(value, str):
        if _SQL.match(value):
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _texts(each)


def _inline(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield literals given straight to a call that runs SQL."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                if _SQL.match(argument.value) and " " in argument.value:
                    yield argument.value, node.lineno
