"""Draws texts that a regular expression matches, to try finders on forms that others describe.

It does not cover all of the syntax: look-arounds are passed over and long repeats cut short.
"""

from __future__ import annotations

import random
import re
import re._constants as code  # type: ignore[import-not-found] # no stubs for the parser's parts
import re._parser as parser  # type: ignore[import-not-found] # ditto
import string
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_WORD = string.ascii_letters + string.digits
_MAX_MORE = 12
_FOREIGN = (
    ("[[:alnum:]]", "[a-zA-Z0-9]"),
    ("[:alnum:]", "a-zA-Z0-9"),
    ("\\z", "$"),
    ("(?s:", "(?:"),
    ("(?-i:", "(?:"),
    ("(?i)", ""),
)


def secret_samples(path: Path, seed: int, each: int) -> Iterator[tuple[str, str]]:
    """Yield a rule's id and a drawn secret for each rule of a file in the form of gitleaks."""
    chance = random.Random(seed)
    for rule in tomllib.loads(path.read_text("utf-8"))["rules"]:
        pattern = rule.get("regex", "")
        for theirs, ours in _FOREIGN:
            pattern = pattern.replace(theirs, ours)
        try:
            parsed = parser.parse(pattern)
        except re.error:
            continue
        for _ in range(each if pattern else 0):
            yield rule["id"], _draw(parsed, chance)


def _draw(parsed: Sequence[tuple[Any, Any]], chance: random.Random) -> str:
    return "".join(_draw_one(operation, value, chance) for operation, value in parsed)


def _draw_one(operation: Any, value: Any, chance: random.Random) -> str:
    if operation is code.LITERAL:
        return chr(value)
    if operation is code.IN:
        return chance.choice(_members(value) or _WORD)
    if operation in (code.ANY, code.NOT_LITERAL):
        return chance.choice(_WORD)
    if operation in (code.MAX_REPEAT, code.MIN_REPEAT):
        low, high, repeated = value
        times = chance.randint(low, min(int(high), low + _MAX_MORE))
        return "".join(_draw(repeated, chance) for _ in range(times))
    if operation is code.SUBPATTERN:
        return _draw(value[3], chance)
    if operation is code.BRANCH:
        return _draw(chance.choice(value[1]), chance)
    return ""


def _members(members: Sequence[tuple[Any, Any]]) -> str:
    chosen = ""
    for operation, value in members:
        if operation is code.LITERAL:
            chosen += chr(value)
        elif operation is code.RANGE:
            chosen += "".join(map(chr, range(value[0], min(value[1], 126) + 1)))
        elif operation is code.CATEGORY:
            name = str(value)
            chosen += string.digits if name.endswith("_DIGIT") else ""
            chosen += " " if name.endswith("_SPACE") and "NOT" not in name else ""
            chosen += _WORD if name.endswith("_WORD") or "NOT" in name else ""
    if members and members[0][0] is code.NEGATE:
        return "".join(char for char in _WORD if char not in chosen)
    return chosen
