"""Owns what operations that answer pages share: parameters, how many rows, where a page begins.

It never reads rows, and a choice outside its enumeration is refused rather than guessed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from backend.api.cursors import QueueCursor, decode_cursor, encode_cursor
from backend.api.operation import Call, JsonValue, Parameter
from backend.inbox.events import CursorGone
from backend.refusals import Refused
from contract import api
from contract.problems import ProblemCode

DEFAULT_PAGE = 100
E = TypeVar("E", bound=StrEnum)
D = TypeVar("D")

CURSOR = Parameter(
    "cursor", "query", {"type": "string"}, "The next_cursor of the page before; empty to begin."
)


def limit_parameter(most: int, about: str = "Rows on a page.") -> Parameter:
    """Return the parameter `limit` of an operation that answers at most `most` rows a page."""
    return Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": most}, about)


HISTORY = Parameter(
    api.HISTORY,
    "query",
    {"type": "string"},
    "The history_id of the capabilities when the position was told; another one's is gone (410).",
)
PAGING = (CURSOR, limit_parameter(500))


def choice_parameter(name: str, kind: type[StrEnum], about: str) -> Parameter:
    """Return a query parameter that takes one of an enumeration's values."""
    schema: dict[str, JsonValue] = {
        "type": "string",
        "minLength": 1,
        "maxLength": 32,
        "pattern": f"^({'|'.join(member.value for member in kind)})$",
    }
    return Parameter(name, "query", schema, about)


def page_limit(call: Call, default: int = DEFAULT_PAGE) -> int:
    """Return how many rows a page shall have; raises Refused beyond the backend's setting."""
    return call.whole_number("limit", default, 1, call.services.settings.page_max)


def choice(call: Call, name: str, kind: type[E], default: D) -> E | D:
    """Return a query parameter as one of an enumeration; raises Refused for another text."""
    text = call.request.query_params.get(name)
    if text is None:
        return default
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise Refused(ProblemCode.BAD_REQUEST, f"{name} must be one of: {allowed}.") from None


def check_history(call: Call) -> None:
    """Raise CursorGone where the position asked for counts another history than this database's.

    A client that names none is believed: it is of a version that knew of none.
    """
    known = call.services.settings.history_id
    if known and call.request.query_params.get(api.HISTORY, known) != known:
        raise CursorGone


def queue_place(call: Call) -> tuple[int, str] | None:
    """Return after which (UTC ms, id) of a queue the page begins; None for its beginning."""
    cursor = decode_cursor(call.request.query_params.get("cursor", ""), QueueCursor)
    return None if cursor is None else (cursor.at_utc_ms, cursor.item_id)


def next_queue_cursor(following: tuple[int, str] | None) -> str:
    """Return the cursor of a queue's next page; empty where there is none."""
    return "" if following is None else encode_cursor(QueueCursor(*following))
