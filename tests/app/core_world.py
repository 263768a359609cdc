"""Opens real cores over folders of a test, with or without the embedded backend.

It never uses the person's own keyring: a passphrase takes its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from app.core import Core
from app.domain.clock import Clock, SystemClock
from app.domain.inbox import InboxQuery
from app.domain.status import Link
from app.domain.timeline import TimelineRow
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId, MessageId
from contract.wire import Channel

PASSPHRASE = "correct horse battery staple"


class HoldableClock(SystemClock):
    """The machine's clock until it is held: then no period ends, however long a test takes."""

    def __init__(self) -> None:
        self._held: tuple[int, float] | None = None

    def hold(self) -> None:
        """Let no time pass from now on."""
        self._held = (super().now_utc_ms(), super().monotonic_s())

    def now_utc_ms(self) -> int:
        """Return Unix time in milliseconds, or that at which it was held."""
        return self._held[0] if self._held else super().now_utc_ms()

    def monotonic_s(self) -> float:
        """Return seconds that never go back, or those at which it was held."""
        return self._held[1] if self._held else super().monotonic_s()


def settings_with(values: dict[str, object]) -> Settings:
    """Return settings as IT would manage them."""
    return Settings(load_schema(), [Source(Origin.MANAGED, "test", values, "")])


def paths_in(folder: Path) -> AppPaths:
    """Return the folders of one user below `folder`."""
    return AppPaths(
        data_dir=folder / "data",
        outbox_dir=folder / "data",
        config_dir=folder / "config",
        log_dir=folder / "logs",
    )


def new_core(
    folder: Path,
    *,
    endpoint: BackendEndpoint | None = None,
    clock: Clock | None = None,
    **settings: object,
) -> Core:
    """Return a core that is not opened yet; undo is off unless a setting says else."""
    chosen = {"UndoSendSeconds": 0} | settings
    return Core(
        settings_with(chosen),
        paths_in(folder),
        clock or SystemClock(),
        endpoint=endpoint,
        passphrase=PASSPHRASE,
    )


@asynccontextmanager
async def running_core(folder: Path, **settings: object) -> AsyncIterator[Core]:
    """Run a core with the embedded backend until the block ends; yields it online and synced."""
    core = new_core(folder, endpoint=None, clock=None, **settings)
    try:
        await core.open()
        await core.connect()
        await online(core)
        yield core
    finally:
        await core.close()


async def online(core: Core, within_s: float = 60.0) -> None:
    """Wait until the core is connected and its first sync is over."""
    await holds(
        lambda: core.status.link is Link.ONLINE and not core.status.syncing, within_s=within_s
    )


async def holds(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait until a condition holds; fails with TimeoutError."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def contents_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file; those that go meanwhile hold nothing.

    A witness ends a moment after the core it belonged to, and takes its journal along.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            with suppress(FileNotFoundError):
                yield path.name, path.read_bytes()


async def conversation_on(core: Core, channel: Channel) -> ConversationId:
    """Return a conversation of the sample on which the employee may write."""
    page = await core.store.inbox.page(InboxQuery(), 100)
    for row in page.rows:
        found = row.conversation
        if found.channel is channel and found.send is not None and not found.walled:
            if found.window_closes_at_utc_ms is None or found.awaiting:
                return found.conversation_id
    raise AssertionError(f"the sample has no open conversation on {channel}")


async def row_when(
    core: Core,
    message_id: MessageId,
    condition: Callable[[TimelineRow], bool],
    within_s: float = 60.0,
) -> TimelineRow:
    """Wait until a message's row fulfils a condition and return it."""
    async with asyncio.timeout(within_s):
        while True:
            row = await core.store.timeline.message(message_id)
            if row is not None and condition(row):
                return row
            await asyncio.sleep(0.01)
