"""The inbound pump: polls each account, commits the raw bytes and the cursor, then has them read.

It never parses before the bytes are committed and never answers a vendor earlier.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, bindparam, func, select

from backend.channels import faults
from backend.channels.contract import Account, Inbound, RawItem
from backend.delivery.accounts import governed_accounts, inbound_cursor, keep_inbound_cursor
from backend.delivery.backoff import retry_delay_s
from backend.delivery.pulse import Pulse
from backend.delivery.recorder import InboundRecorder
from backend.inbox.inbound import firm_of_account
from backend.storage.bulk import Prepared, insert_rows
from backend.storage.database import Database, StorageFull
from backend.storage.tables import inbound_raw
from contract.ids import AccountId

_log = logging.getLogger(__name__)
_jitter = random.Random()
_SHORTEST_WAIT_S = 1.0
_LONGEST_PAUSE_S = 30.0
_SEEN = Prepared(
    select(inbound_raw.c.dedupe_key).where(
        inbound_raw.c.account_id == bindparam("account"),
        inbound_raw.c.dedupe_key.in_(bindparam("items", expanding=True)),
    ),
    *("account", "items"),
)
_LAST_ARRIVAL = Prepared(select(func.max(inbound_raw.c.arrival)))
_RAW_COLUMNS = (
    *("account_id", "dedupe_key", "firm_id", "arrival"),
    *("raw", "received_at_utc_ms"),
)


class InboundPump:
    """One poller per account and one recorder behind them."""

    def __init__(
        self,
        database: Database,
        connectors: Mapping[str, Inbound],
        recorder: InboundRecorder,
        *,
        now: Callable[[], int],
        pulse: Pulse | None = None,
    ) -> None:
        """`connectors` by module name; `now`: UTC milliseconds; `pulse` hears how it goes."""
        self._database = database
        self._connectors = connectors
        self._recorder = recorder
        self._now = now
        self._pulse = pulse or Pulse()
        self._pollers: dict[AccountId, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    def accounts_changed(self, changed: frozenset[AccountId]) -> None:
        """Poll these accounts anew: they came, got other settings, or are gone.

        A poll under way ends; what it had not committed yet is asked for again.
        """
        for account_id in changed:
            if (poller := self._pollers.pop(account_id, None)) is not None:
                poller.cancel()
        self._changed.set()

    async def run(self) -> None:
        """Poll every governed account until cancelled."""
        self._pollers = {}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recorder.run(), name="inbound-recorder")
            while True:
                self._changed.clear()
                for account in await self._database.read(governed_accounts):
                    self._start_polling(group, account)
                await self._changed.wait()

    def _start_polling(self, group: asyncio.TaskGroup, account: Account) -> None:
        if account.account_id not in self._pollers and account.connector in self._connectors:
            self._pollers[account.account_id] = group.create_task(
                self._poll(account), name=f"poll-{account.account_id}"
            )

    async def _poll(self, account: Account) -> None:
        failures = 0
        while True:
            began_s = time.monotonic()
            try:
                came = await self._poll_once(account)
                failures = 0
                self._pulse.heard(account.account_id)
                if not came and time.monotonic() - began_s < _SHORTEST_WAIT_S:
                    await asyncio.sleep(_SHORTEST_WAIT_S)  # a vendor that does not hold the request
            except (faults.ChannelFault, StorageFull) as error:
                failures += 1
                await self._wait_after(account, failures, error)
            except Exception as error:  # noqa: BLE001 - one account must not stop the others
                failures += 1
                await self._wait_after(account, failures, error)

    async def _wait_after(self, account: Account, failures: int, error: Exception) -> None:
        if not isinstance(error, StorageFull | faults.RateLimited):
            refused = isinstance(error, faults.AccountFault)
            self._pulse.not_heard(account.account_id, self._now(), refused=refused)
        _log.error(
            "polling an account failed",
            extra={"account_id": account.account_id, "error": type(error).__name__},
        )
        # What a vendor holds for us waits meanwhile, so the pauses stay short.
        await asyncio.sleep(min(_LONGEST_PAUSE_S, retry_delay_s(failures, _jitter)))

    async def _poll_once(self, account: Account) -> bool:
        """Commit what came; false when nothing did."""
        connector = self._connectors[account.connector]
        cursor = await self._database.read(lambda c: inbound_cursor(c, account.account_id))
        polled = await connector.poll(account, cursor)
        if not polled.items and polled.cursor == cursor:
            return False
        genuine = [item for item in polled.items if connector.verify(account, item)]
        if len(genuine) < len(polled.items):
            _log.error(
                "events with a wrong signature refused", extra={"account": account.account_id}
            )
        await self._database.write(
            lambda c: store_raw(c, account, genuine, polled.cursor, self._now())
        )
        self._recorder.wake()
        return True


def store_raw(
    connection: Connection,
    account: Account,
    items: list[RawItem],
    cursor: str | None,
    now_utc_ms: int,
) -> None:
    """Keep raw bytes not seen before, with the cursor behind them: both or neither.

    Without a cursor (a webhook) the kept one stays as it is.
    """
    keys = [item.dedupe_key for item in items]
    known = set(_SEEN.scalars(connection, account.account_id, keys))
    arrival = _LAST_ARRIVAL.scalar(connection) or 0
    firm_id = firm_of_account(connection, account.account_id)
    for item in items:
        if item.dedupe_key in known:
            continue
        known.add(item.dedupe_key)
        arrival += 1
        row = (account.account_id, item.dedupe_key, firm_id, arrival, item.body, now_utc_ms)
        insert_rows(connection, inbound_raw, _RAW_COLUMNS, [row])
    if cursor is not None:
        keep_inbound_cursor(connection, account.account_id, cursor)
