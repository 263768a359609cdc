"""The sandbox vendor's queue of events with the timetable that fills it.

It never drops an event: what was planned before a crash happens after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from backend.channels.events import MessageIn
from backend.channels.sandbox.phone import Client, Plan
from backend.channels.sandbox.store import SandboxStore

_PAGE = 100
_LONGEST_POLL_S = 30.0
_LONGEST_SLEEP_S = 30.0


class SandboxQueue:
    """Events per account in the order they happened, waiting to be polled."""

    def __init__(self, store: SandboxStore, *, pace: float, now: Callable[[], int]) -> None:
        """`pace` multiplies every delay of the clients (0: at once); `now` is UTC milliseconds."""
        self._store = store
        self._pace = pace
        self._now = now
        self._arrived: dict[str, asyncio.Event] = {}
        self._planned = asyncio.Event()

    def add_plans(self, connection: Any, client: Client, plans: Iterable[Plan]) -> None:
        """Write the timetable of one client, as part of the caller's transaction."""
        now_utc_ms = self._now()
        for plan in plans:
            connection.execute(
                "INSERT INTO plans(due_at_utc_ms, account_id, address, kind, body)"
                " VALUES (?,?,?,?,?)",
                (
                    now_utc_ms + int(plan.after_s * self._pace * 1000),
                    client.account_id,
                    client.address,
                    plan.kind,
                    plan.body,
                ),
            )

    def forget_answer(self, connection: Any, client: Client) -> None:
        """Drop an answer the client has not begun to send."""
        connection.execute(
            "DELETE FROM plans WHERE account_id = ? AND address = ?"
            " AND kind IN ('answer', 'typing')",
            (client.account_id, client.address),
        )

    def add_body(self, connection: Any, account_id: str, body: bytes) -> None:
        """Append one event to an account's queue, as part of the caller's transaction."""
        connection.execute("INSERT INTO queue(account_id, body) VALUES (?,?)", (account_id, body))

    def wake(self, account_id: str = "") -> None:
        """Tell the timetable, or one account's poller, that something was committed."""
        if account_id:
            self._event(account_id).set()
        else:
            self._planned.set()

    def position(self, cursor: str) -> int:
        """Return the id a cursor stands for; 0 for a fresh one or one of another store."""
        epoch, _, number = cursor.partition(":")
        return int(number) if epoch == self._store.epoch else 0

    def cursor_at(self, position: int) -> str:
        """Return the cursor that stands for an id of this store."""
        return f"{self._store.epoch}:{position}"

    async def take(self, account_id: str, cursor: int) -> list[tuple[int, bytes]]:
        """Return (id, body) after `cursor`, oldest first; waits up to 30 s for the first."""
        arrived = self._event(account_id)
        arrived.clear()
        rows = await self._store.write(lambda c: _after(c, account_id, cursor))
        if rows:
            return rows
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_POLL_S):
                await arrived.wait()
        return await self._store.write(lambda c: _after(c, account_id, cursor))

    async def run(self) -> None:
        """Move due plans into the queue until cancelled."""
        while True:
            self._planned.clear()
            moved, wait_s = await self._store.write(self._move_due)
            for account_id in moved:
                self._event(account_id).set()
            if wait_s > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._planned.wait()

    def _move_due(self, connection: Any) -> tuple[set[str], float]:
        now_utc_ms = self._now()
        due = connection.execute(
            "SELECT id, account_id, address, kind, body FROM plans WHERE due_at_utc_ms <= ?"
            " ORDER BY due_at_utc_ms, id LIMIT ?",
            (now_utc_ms, _PAGE),
        ).fetchall()
        for plan_id, account_id, address, kind, body in due:
            self.add_body(connection, account_id, body)
            if kind == "answer":
                _store_answer(connection, account_id, address, body, now_utc_ms)
            connection.execute("DELETE FROM plans WHERE id = ?", (plan_id,))
        next_due = connection.execute("SELECT min(due_at_utc_ms) FROM plans").fetchone()[0]
        wait_s = _LONGEST_SLEEP_S if next_due is None else (next_due - now_utc_ms) / 1000
        return {row[1] for row in due}, min(wait_s, _LONGEST_SLEEP_S)

    def _event(self, account_id: str) -> asyncio.Event:
        return self._arrived.setdefault(account_id, asyncio.Event())


def _after(connection: Any, account_id: str, cursor: int) -> list[tuple[int, bytes]]:
    rows = connection.execute(
        "SELECT id, body FROM queue WHERE account_id = ? AND id > ? ORDER BY id LIMIT ?",
        (account_id, cursor, _PAGE),
    ).fetchall()
    return [(int(row[0]), bytes(row[1])) for row in rows]


def _store_answer(
    connection: Any, account_id: str, address: str, body: bytes, now_utc_ms: int
) -> None:
    answer = msgspec.json.decode(body, type=MessageIn)
    connection.execute(
        "INSERT INTO phone(account_id, channel, address, direction, external_id, key, text,"
        " files, at_utc_ms) VALUES (?,?,?,'said',?,'',?,'[]',?)",
        (
            account_id,
            answer.external_id.split(".")[1],
            address,
            answer.external_id,
            answer.text,
            now_utc_ms,
        ),
    )
