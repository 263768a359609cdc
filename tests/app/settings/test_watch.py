"""Settings that the firm changes while Parley runs are told of, once, and never applied.

It reads no place of this system.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from app.settings.watch import SettingsWatch

EVERY_S = 0.01


class Firm:
    """A firm that may change its policies at any time, and a user their own settings."""

    def __init__(self) -> None:
        self.policies: dict[str, object] = {"BackendUrl": "https://old.example.com"}
        self.own: dict[str, object] = {}
        self.told: list[tuple[str, ...]] = []
        self.looks = 0

    def settings(self) -> Settings:
        """Return the settings as they stand now, which read the same places again."""
        sources = (
            Source(Origin.MANAGED, "p", dict(self.policies)),
            Source(Origin.USER, "u", self.own),
        )
        settings = Settings(load_schema(), sources)
        settings._reread = self._look
        return settings

    def _look(self) -> Settings:
        self.looks += 1
        return self.settings()


@pytest.fixture
async def firm() -> AsyncIterator[Firm]:
    """Return a firm whose settings are watched."""
    firm = Firm()
    start = firm.settings()
    watch = SettingsWatch(lambda: start, start, firm.told.append, EVERY_S)
    task = asyncio.create_task(watch.run())
    yield firm
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(EVERY_S)


async def test_a_change_is_told_once_and_its_end_too(firm: Firm) -> None:
    firm.policies |= {"BackendUrl": "https://new.example.com", "LogLevel": "debug"}
    await until(lambda: firm.told != [])
    seen = firm.looks
    await until(lambda: firm.looks > seen + 2)
    assert firm.told == [("BackendUrl", "LogLevel")]
    firm.policies = {"BackendUrl": "https://old.example.com"}
    await until(lambda: len(firm.told) == 2)
    assert firm.told[1] == ()


async def test_a_policy_that_is_gone_is_a_change(firm: Firm) -> None:
    firm.policies = {}
    await until(lambda: firm.told == [("BackendUrl",)])


async def test_what_the_user_chose_is_not_told(firm: Firm) -> None:
    firm.own["LogLevel"] = "debug"
    seen = firm.looks
    await until(lambda: firm.looks > seen + 2)
    assert firm.told == []
