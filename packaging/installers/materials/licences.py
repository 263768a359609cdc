"""Judges licences, written as SPDX expressions, by what may ship with Parley.

It reads no licence text and knows no component.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


class NoExpression(ValueError):
    """A text is no SPDX licence expression."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may ship: freely, and what only as a file of its own beside the program."""

    freely: frozenset[str]
    dynamic: frozenset[str]

    def permits(self, expression: str, *, dynamic: bool = False) -> bool:
        """Tell whether an expression may ship; of a choice one part is enough.

        `dynamic` says that the component can be replaced where Parley is installed. Raises
        NoExpression.
        """
        permitted = self.freely | self.dynamic if dynamic else self.freely
        return _Reading(expression, permitted).whole()


class _Reading:
    """One pass over one expression: OR binds weaker than AND, AND weaker than WITH."""

    def __init__(self, expression: str, permitted: frozenset[str]) -> None:
        self._expression = expression
        self._left: list[str] = _tokens(expression)
        self._permitted = permitted

    def whole(self) -> bool:
        found = self._any()
        if self._left:
            raise NoExpression(self._expression)
        return found

    def _any(self) -> bool:
        found = [self._all()]
        while self._took("OR"):
            found.append(self._all())
        return any(found)

    def _all(self) -> bool:
        found = [self._one()]
        while self._took("AND"):
            found.append(self._one())
        return all(found)

    def _one(self) -> bool:
        if self._took("("):
            found = self._any()
            if not self._took(")"):
                raise NoExpression(self._expression)
            return found
        name = self._next()
        if self._took("WITH"):
            name = f"{name} WITH {self._next()}"
        return name in self._permitted

    def _next(self) -> str:
        if not self._left or self._left[0] in ("OR", "AND", "WITH", "(", ")"):
            raise NoExpression(self._expression)
        return self._left.pop(0)

    def _took(self, token: str) -> bool:
        if self._left[:1] != [token]:
            return False
        self._left.pop(0)
        return True


def _tokens(expression: str) -> list[str]:
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != re.sub(r"\s+", "", expression):
        raise NoExpression(expression)
    return tokens


def is_expression(text: str) -> bool:
    """Tell whether a text reads as an SPDX expression, whatever licences it names."""
    try:
        _Reading(text, frozenset()).whole()
    except NoExpression:
        return False
    return True


def join(expressions: Sequence[str]) -> str:
    """Return one expression that holds for all of `expressions` together."""
    parts = dict.fromkeys(expressions)
    return " AND ".join(f"({one})" if " OR " in one else one for one in parts)
