"""Canonical JSON (RFC 8785) for archive envelopes.

It refuses floats and non-ASCII keys, which envelopes never hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

_TYPES_TOLD = "archive envelopes hold text, integers, booleans, null, lists and objects only"

Canonical = None | bool | int | str | Sequence["Canonical"] | Mapping[str, "Canonical"]

_SAFE_INTEGER = 2**53 - 1


def _check(value: object) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if abs(value) > _SAFE_INTEGER:
            raise ValueError("an integer beyond 2**53 - 1 has no canonical form")
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError("keys must be ASCII text")
            _check(item)
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item)
        return
    raise ValueError(_TYPES_TOLD)


def canonical_json(value: Canonical) -> bytes:
    """Return the RFC 8785 bytes of `value`; raises ValueError for what has no canonical form.

    Lone surrogates are refused, as RFC 8785 asks.
    """
    _check(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("text with a lone surrogate has no canonical form") from error
