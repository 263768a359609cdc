"""Finds the row operations that turn one list of keys into another.

It never touches a model; keys must be unique within each list.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remove:
    """Rows `first` to `last` (inclusive) go."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows `first` to `last` (inclusive, numbered after the operation) come."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Move:
    """The row at `source` comes to stand at `target`, counted without it."""

    source: int
    target: int


Operation = Remove | Insert | Move


def row_operations(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Operation]:
    """Return operations to be done one after the other; equal lists give none.

    A row that moved down past its neighbours is one move, not one for each neighbour.
    """
    operations: list[Operation] = list(_removals(old, frozenset(new)))
    wanted = frozenset(new)
    current = [key for key in old if key in wanted]
    present = set(current)
    place = {key: index for index, key in enumerate(new)}
    at = 0
    while at < len(new):
        key = new[at]
        if at < len(current) and current[at] == key:
            at += 1
        elif key not in present:
            last = at
            while last + 1 < len(new) and new[last + 1] not in present:
                last += 1
            operations.append(Insert(at, last))
            current[at:at] = new[at : last + 1]
            at = last + 1
        else:
            operations.append(_move(current, place, at, key))
    return operations


def _removals(old: Sequence[Hashable], wanted: frozenset[Hashable]) -> list[Remove]:
    """Return removals from the end to the beginning, so that earlier numbers stay true."""
    result: list[Remove] = []
    last = len(old) - 1
    while last >= 0:
        if old[last] in wanted:
            last -= 1
            continue
        first = last
        while first > 0 and old[first - 1] not in wanted:
            first -= 1
        result.append(Remove(first, last))
        last = first - 1
    return result


def _move(current: list[Hashable], place: dict[Hashable, int], at: int, key: Hashable) -> Move:
    """Bring `key` to `at`, changing `current`; a single row in its way moves down instead."""
    if current[at + 1] == key:
        target = min(max(place[current[at]], at + 1), len(current) - 1)
        move = Move(at, target)
    else:
        move = Move(current.index(key, at + 1), at)
    current.insert(move.target, current.pop(move.source))
    return move
