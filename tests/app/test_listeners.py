"""Tests of who hears of something: order, ends, rounds. They never use a loop."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.listeners import Listeners


def test_all_hear_in_their_order_until_each_ends() -> None:
    heard: list[tuple[str, int]] = []
    listeners = Listeners[int]()
    end = listeners.add(lambda value: heard.append(("first", value)))
    listeners.add(lambda value: heard.append(("second", value)))
    listeners.tell(1)
    end()
    end()
    listeners.tell(2)
    assert heard == [("first", 1), ("second", 1), ("second", 2)]


def test_one_callback_added_twice_is_called_twice_and_ends_once_each() -> None:
    heard: list[int] = []
    listeners = Listeners[int]()
    end = listeners.add(heard.append)
    listeners.add(heard.append)
    listeners.tell(1)
    end()
    listeners.tell(2)
    assert heard == [1, 1, 2]


def test_ending_or_adding_in_a_round_changes_the_next_one_alone() -> None:
    heard: list[str] = []
    listeners = Listeners[str]()
    ends: list[Callable[[], None]] = []

    def first(word: str) -> None:
        heard.append(f"first {word}")
        ends[1]()
        listeners.add(lambda later: heard.append(f"new {later}"))

    ends.append(listeners.add(first))
    ends.append(listeners.add(lambda word: heard.append(f"second {word}")))
    listeners.tell("a")
    ends[0]()
    listeners.tell("b")
    assert heard == ["first a", "second a", "new b"]
