"""Takes the insides out of events that are nested too deeply for any reader of JSON.

It never touches another event of the transaction, nor what says whose event it was.
"""

from __future__ import annotations

import re

# A transaction holds lists of events, each of which holds its content and other objects.
_EVENT, _INSIDES = 3, 4
MOST_DEEP = 64
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[{}\[\]]', re.DOTALL)
_EMPTY = {ord("{"): b"{}", ord("["): b"[]"}


def without_depths(raw: bytes) -> bytes:
    """Return a transaction in which events nested deeper than MOST_DEEP hold empty insides.

    It goes through the bytes once, and no deeper into the stack than any other function.
    """
    kept: list[bytes] = []
    insides: list[tuple[int, int]] = []
    taken = depth = deepest = begin = 0
    for token in _TOKENS.finditer(raw):
        sign = raw[token.start()]
        if sign in b"{[":
            depth += 1
            deepest = max(deepest, depth)
            if depth == _INSIDES:
                begin = token.start()
        elif sign in b"}]":
            if depth == _INSIDES:
                insides.append((begin, token.end()))
            if depth == _EVENT:
                for start, end in insides if deepest > MOST_DEEP else ():
                    kept += raw[taken:start], _EMPTY[raw[start]]
                    taken = end
                insides.clear()
                deepest = 0
            depth -= 1
    kept.append(raw[taken:])
    return b"".join(kept)
