"""Measures the search over a million messages as it is asked with each key, and with filters.

It never leaves out the first round after opening, when no page of the index was read yet.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from app.domain.inbox import InboxQuery
from app.store.store import Store
from contract.ids import ConversationId
from tests.benchmarks import dataset
from tests.benchmarks.lines import Group, Line, at_most
from tests.benchmarks.measuring import MS, percentile
from tests.benchmarks.search_terms import CJK, LATIN
from ui.models.search_presenter import LIMIT_MESSAGES, LIMIT_PEOPLE

ROUNDS = 3
SMALL_CHATS = 40
_ASKED = (
    "each prefix of the terms in turn: people, the newest 20 messages, snippets;"
    f" {ROUNDS} rounds from a store just opened"
)
_DATED = ("{} after:2026-09", "{} before:2025-03-07", "{} has:file", "{} has:file before:2026")

LINES = (
    Line("search query, Latin keystroke, p50", "ms", at_most(0.5), _ASKED, "0.11"),
    Line("search query, Latin keystroke, p99", "ms", at_most(5), _ASKED, "0.24"),
    Line("search query, CJK keystroke, p50", "ms", at_most(0.5), _ASKED, "0.10"),
    Line("search query, CJK keystroke, p99", "ms", at_most(5), _ASKED, "0.47"),
    Line(
        "search in one small conversation, p99",
        "ms",
        at_most(5),
        f"each term in {SMALL_CHATS} chats of 20 to 200 messages, as the find bar asks",
        "6.8 with a tag alone",
    ),
    Line(
        "search with from: or with: one person, p99",
        "ms",
        at_most(5),
        f"each term with the names of {SMALL_CHATS} clients",
    ),
    Line(
        "search with dates or has:file, p99",
        "ms",
        at_most(5),
        "each term with open and closed ranges of days, with files, with both",
    ),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES over a copy of the data set."""
    yield from asyncio.run(figures(dataset.working_copy(folder.parent)))


async def figures(root: Path) -> list[float]:
    """Return the figures over a data folder."""
    store = await dataset.open_store(root)
    try:
        found = []
        for terms in (LATIN, CJK):
            took = await _each_ms(store, [*_keystrokes(terms)] * ROUNDS)
            found += [percentile(took, 50), percentile(took, 99)]
        chats = await _small_chats(store)
        in_chats = [(term, chat) for chat, _ in chats for term in (*LATIN, *CJK)]
        people = [name for _, name in chats]
        asked = [
            f'{t} {key}:"{name}"' for name in people for t in LATIN for key in ("from", "with")
        ]
        dated = [pattern.format(term) for pattern in _DATED for term in (*LATIN, *CJK)]
        found.append(percentile(await _each_ms(store, in_chats), 99))
        for questions in (asked, dated):
            took = await _each_ms(store, [(question, None) for question in questions])
            found.append(percentile(took, 99))
    finally:
        await store.close()
    return found


def _keystrokes(terms: Iterable[str]) -> Iterator[tuple[str, None]]:
    for term in terms:
        for length in range(1, len(term) + 1):
            yield term[:length], None


async def _each_ms(
    store: Store, questions: Sequence[tuple[str, ConversationId | None]]
) -> list[float]:
    took = []
    for text, home in questions:
        began_s = time.perf_counter()
        await store.search.search(text, LIMIT_PEOPLE, LIMIT_MESSAGES, home=home)
        took.append((time.perf_counter() - began_s) * MS)
    return took


async def _small_chats(store: Store) -> list[tuple[ConversationId, str]]:
    """Return chats of 20 to 200 messages with their one client's name."""
    found: list[tuple[ConversationId, str]] = []
    after = None
    while len(found) < SMALL_CHATS:
        page = await store.inbox.page(InboxQuery(), 100, after)
        for row in page.rows:
            chat = row.conversation
            if not chat.group and 20 <= chat.message_count <= 200:
                found.append((chat.conversation_id, chat.title))
        after = page.next_key
    return found[:SMALL_CHATS]


GROUP = Group(LINES, measure)

if __name__ == "__main__":
    for line, figure in zip(LINES, asyncio.run(figures(Path(sys.argv[1]))), strict=True):
        print(f"{figure:8.3f} {line.unit} {line.name} ({line.goal})")
