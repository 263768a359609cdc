"""Compiles Python files to byte code whose bytes depend on their sources alone.

It runs none of what it compiles, and imports only the standard library: the bundle's own
version of Python runs it as a program, with the path of a list of work.

What marshal writes depends on who else holds a string or a number: the same source came to other
bytes where the compiling process had a module of the same names loaded. So equal constants become
one object that is held twice at least, before they are written.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import sys
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar, cast

_Value = TypeVar("_Value")

# PEP 552: byte code known by its source's hash; the other bit says whether it is looked up.
_HASHED, _CHECKED = 0b01, 0b10


def byte_code(source: bytes, shown: str, *, is_checked: bool) -> bytes:
    """Return the content of a .pyc; `shown` is the path that a traceback names.

    Raises SyntaxError or ValueError where the source can't be compiled.
    """
    code = compile(source, shown, "exec", dont_inherit=True)
    flags = _HASHED | (_CHECKED if is_checked else 0)
    head = importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little")
    held: dict[object, object] = {}  # until marshal has written all of it
    return head + importlib.util.source_hash(source) + marshal.dumps(canonical(code, held))


def canonical(code: CodeType, held: dict[object, object]) -> CodeType:
    """Return the same code with one object for all equal constants, each one also in `held`."""
    for name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        _one(name, held)
    return code.replace(
        co_name=_one(code.co_name, held),
        co_qualname=_one(code.co_qualname, held),
        co_filename=_one(code.co_filename, held),
        co_names=_one(code.co_names, held),
        co_consts=_one(code.co_consts, held),
        co_linetable=_one(code.co_linetable, held),
        co_exceptiontable=_one(code.co_exceptiontable, held),
    )


def _one(value: _Value, held: dict[object, object]) -> _Value:
    made: Any = value
    key: object
    if isinstance(value, CodeType):
        made = canonical(value, held)
        key = id(made)
    elif isinstance(value, str):
        made, key = sys.intern(value), (str, value)
    elif isinstance(value, tuple):
        made = tuple(_one(part, held) for part in value)
        key = (tuple, tuple(map(id, made)))
    elif isinstance(value, frozenset):
        made = frozenset(_one(part, held) for part in value)
        key = (frozenset, frozenset(map(id, made)))
    elif isinstance(value, (bytes, int, float, complex)):
        key = (type(value), repr(value))  # tells 0.0 from -0.0, and True from 1
    else:
        return value  # None and the ellipsis
    one: Any = held.setdefault(key, made)
    return cast(_Value, one)


def main(arguments: list[str]) -> int:
    """Compile each [source, target, shown path, is checked] of a JSON list; print the magic."""
    for source, target, shown, is_checked in json.loads(Path(arguments[0]).read_text("utf-8")):
        content = byte_code(Path(source).read_bytes(), shown, is_checked=is_checked)
        Path(target).write_bytes(content)
    print("magic", importlib.util.MAGIC_NUMBER.hex())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
