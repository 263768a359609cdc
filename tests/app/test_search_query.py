"""What is typed is read as words, phrases and filters; nothing is refused. It never searches."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.search import AdviceKind
from app.domain.search_dates import first_day_of
from app.domain.search_query import open_filter, parse_query, with_value
from contract.wire import Channel

NOW_UTC_MS = int(datetime(2026, 11, 22, 15, tzinfo=UTC).timestamp() * 1000)
TODAY = date(2026, 11, 22)


def test_filters_leave_the_words() -> None:
    text = 'yen FROM:hana "fixed rate" with:"Marcus Feld" in：deal channel:we has:file rest'
    query = parse_query(text, NOW_UTC_MS, UTC)
    assert query.text.split() == ["yen", '"fixed', 'rate"', "rest"]
    assert (query.from_names, query.with_names) == (("hana",), ("Marcus Feld",))
    assert query.in_titles == ("deal",) and query.channels == {Channel.WECHAT}
    assert query.has_file and query.has_filters and query.advice == ()


@pytest.mark.parametrize(
    "text", ["https://parley.example/x", "at 12:30", "a:b", "note: later", "from hana", "ratio 1:2"]
)
def test_colons_of_everyday_writing_are_words(text: str) -> None:
    query = parse_query(text, NOW_UTC_MS, UTC)
    assert query.text == text and not query.has_filters and query.advice == ()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("to:hana", AdviceKind.UNKNOWN_FILTER, "to:hana"),
        ("channel:pigeon", AdviceKind.UNKNOWN_CHANNEL, ""),
        ("has:wings", AdviceKind.UNKNOWN_THING, ""),
        ("before:2026-13-01", AdviceKind.NO_DATE, ""),
        ("after:5.11", AdviceKind.NO_DATE, ""),
        ("after:2026-02 before:2026-01", AdviceKind.EMPTY_RANGE, ""),
    ],
)
def test_what_is_no_filter_is_advised_on(text: str, kind: AdviceKind, words: str) -> None:
    query = parse_query(text, NOW_UTC_MS, UTC)
    assert [each.kind for each in query.advice] == [kind] and query.text == words


def test_a_filter_being_typed_is_no_fault() -> None:
    for text in ("from:", "has:", "has:fi", "before:", "channel:"):
        assert parse_query(text, NOW_UTC_MS, UTC).advice == ()


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-11-05", date(2026, 11, 5)),
        ("2026/11/5", date(2026, 11, 5)),
        ("2026-11", date(2026, 11, 1)),
        ("2026", date(2026, 1, 1)),
        ("5.11.2026", date(2026, 11, 5)),
        ("today", TODAY),
        ("yesterday", date(2026, 11, 21)),
        ("2w", date(2026, 11, 8)),
        ("1y", date(2025, 11, 22)),
        ("2026-02-30", None),
        ("05/11/2026", None),
        ("1066", None),
        ("99999y", None),
        ("", None),
    ],
)
def test_dates_are_read_only_where_there_is_one_reading(value: str, day: date | None) -> None:
    assert first_day_of(value, TODAY) == day


def test_several_dates_narrow_each_other() -> None:
    query = parse_query(
        "after:2026-01 after:2026-03 before:2026-12 before:2026-06", NOW_UTC_MS, UTC
    )
    assert query.after_utc_ms == int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
    assert query.before_utc_ms == int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)


def test_the_filter_under_the_caret_is_completed_in_place() -> None:
    text = "yen from:ha rest"
    place = open_filter(text, 11)
    assert place is not None and (place.key, place.value) == ("from", "ha")
    assert with_value(text, place, "Hana Watanabe") == 'yen from:"Hana Watanabe" rest'
    assert with_value(text, place, "me") == "yen from:me rest"
    assert open_filter(text, 4) is None and open_filter("foo:ba", 6) is None
