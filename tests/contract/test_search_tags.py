"""Tags in a real index: a range of days finds its days alone, and authors their chats'.

It never counts on how a tag is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlcipher3.dbapi2 as sqlite

from backend.storage.search_tables import SEARCH_TABLES
from contract import search_tags as tags

DAY_MS = 86_400_000
FIRST = date(2019, 12, 20).toordinal()
DAYS = 800
NOW_UTC_MS = int(datetime(2022, 3, 1, tzinfo=UTC).timestamp() * 1000)


def at(ordinal: int) -> int:
    """Return when a day begins."""
    return (ordinal - date(1970, 1, 1).toordinal()) * DAY_MS


@pytest.fixture(scope="module")
def index() -> Iterator[Any]:
    """Index one row for each day, of 7 conversations and 11 authors."""
    connection = sqlite.connect(":memory:")
    connection.execute(SEARCH_TABLES[0])
    rows = [
        (day, "word" + tags.tags_of(day % 7, f"p{day % 11}", at(FIRST + day) + 5, has_file=False))
        for day in range(DAYS)
    ]
    connection.executemany("INSERT INTO message_search (rowid, body) VALUES (?, ?)", rows)
    yield connection
    connection.close()


def found(index: Any, expression: str) -> list[int]:
    """Return the rows an expression finds."""
    sql = "SELECT rowid FROM message_search WHERE message_search MATCH ? ORDER BY rowid"
    return [row[0] for row in index.execute(sql, (f'"wor"* AND {expression}',))]


@pytest.mark.parametrize(
    ("after", "before"),
    [(0, 1), (0, 12), (5, 300), (12, 378), (12, 43), (0, 799), (377, 380), (500, 500), (10, 5)],
)
def test_a_range_finds_its_days_alone(index: Any, after: int, before: int) -> None:
    asked = tags.days_expression(at(FIRST + after), at(FIRST + before), NOW_UTC_MS)
    assert found(index, asked) == list(range(after, before))
    assert asked.count(" OR ") < 80


def test_open_ends_reach_to_the_first_and_last_day(index: Any) -> None:
    for day in (0, 12, 200, 799):
        edge = at(FIRST + day)
        assert found(index, tags.days_expression(edge, None, NOW_UTC_MS)) == list(range(day, DAYS))
        assert found(index, tags.days_expression(None, edge, NOW_UTC_MS)) == list(range(day))
    assert len(found(index, tags.days_expression(None, None, NOW_UTC_MS))) == DAYS


def test_a_moment_within_a_day_keeps_the_day(index: Any) -> None:
    middle = at(FIRST + 100) + DAY_MS // 2
    assert found(index, tags.days_expression(middle, middle + 1, NOW_UTC_MS)) == [100]


def test_conversations_and_authors_are_found_together_and_alone(index: Any) -> None:
    of_three = [day for day in range(DAYS) if day % 7 == 3]
    assert found(index, tags.conversations_expression([3])) == of_three
    both = tags.authors_expression([(3, "p4"), (5, "p4")])
    assert found(index, both) == [d for d in range(DAYS) if d % 7 in (3, 5) and d % 11 == 4]
    assert found(index, tags.files_expression()) == []
