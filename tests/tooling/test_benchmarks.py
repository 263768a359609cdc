"""The benchmarks' own arithmetic, their report, and the data set they run over in small.

It never runs a benchmark.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest

from app.domain.inbox import InboxQuery
from contract.ids import ConversationId
from tests.benchmarks import __main__ as bench
from tests.benchmarks import dataset
from tests.benchmarks.dataset_rows import Bank
from tests.benchmarks.lines import Group, Line, NotMeasured, at_least, at_most
from tests.benchmarks.measuring import percentile
from tests.benchmarks.registry import GROUPS


@pytest.mark.parametrize(("percent", "found"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_one_of_the_samples(percent: float, found: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == found
    assert percentile([7.0], percent) == 7.0


def test_a_goal_is_met_at_its_bound() -> None:
    assert at_most(2).holds(2) and not at_most(2).holds(2.01)
    assert at_least(2).holds(2) and not at_least(2).holds(1.99)
    assert (str(at_most(0.9)), str(at_least(20_000))) == ("≤ 0.9", "≥ 20000")


def test_every_line_has_a_name_of_its_own() -> None:
    names = [line.name for group in GROUPS for line in group.lines]
    assert len(names) == len(set(names))


def test_what_was_not_measured_is_told_with_the_reason_and_meets_no_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(folder: Path) -> Iterator[float]:
        yield 1.0
        raise NotMeasured("there is no such program here")

    lines = tuple(Line(name, "s", at_most(2), "somehow") for name in ("first", "second", "third"))
    monkeypatch.setattr(bench, "GROUPS", (Group(lines, measure),))
    monkeypatch.setattr(bench, "OUT", tmp_path)
    assert bench.main([]) == 0
    told = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert [(one["name"], one["value"], one["ok"]) for one in told] == [
        ("first", 1.0, True),
        ("second", None, False),
        ("third", None, False),
    ]
    assert all(one["why"] == "there is no such program here" for one in told[1:])
    assert "1 of 3 goals met, 2 not measured" in capsys.readouterr().out


def test_the_data_set_is_the_same_each_time_and_as_the_design_says() -> None:
    now_utc_ms = 1_800_000_000_000
    first, second = (Bank(5_000, 500, now_utc_ms, seed=7) for _ in range(2))
    messages = list(first.messages())
    assert messages == list(second.messages())
    sizes = Counter(message.conversation_id for message in messages)
    assert (len(messages), len(sizes)) == (5_000, 500)
    assert sizes[ConversationId(dataset.BIG_CONVERSATION)] == 500
    places = [message.place_at_utc_ms for message in messages]
    assert places == sorted(places) and places[-1] <= now_utc_ms
    assert 76 <= mean(len(message.text) for message in messages) <= 96
    cjk = sum(bool(re.search("[\u3040-\u30ff\u4e00-\u9fff]", one.text)) for one in messages)
    assert 0.06 <= cjk / len(messages) <= 0.18
    chats = first.conversations()
    assert all(chat.preview is not None for chat in chats)
    assert any(chat.unread_count for chat in chats) and any(chat.awaiting for chat in chats)


def test_a_built_data_set_opens_with_its_key_and_goes_on_from_a_true_cursor(tmp_path: Path) -> None:
    target = tmp_path / "set"
    dataset.build(target, 600, 30)
    told = json.loads((target / "READY").read_text("utf-8"))
    assert told["messages"] == 600

    async def look() -> None:
        store = await dataset.open_store(target)
        try:
            assert await store.cache.cursor() is not None
            counts = await store.inbox.counts(0, 0)
            assert counts.all > 30, "the sample workspace's conversations are there, too"
            page = await store.inbox.page(InboxQuery(), 500)
            assert sum(bool(row.draft_text) for row in page.rows) == dataset.DRAFTS
            big = ConversationId(dataset.BIG_CONVERSATION)
            assert len((await store.timeline.around(big, None, 100, 0)).rows) == 60
            assert (await store.search.search("quarter")).messages
            assert (await store.search.search("会")).messages
        finally:
            await store.close()

    asyncio.run(look())
