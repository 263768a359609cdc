"""A process that writes to a store until it is killed, telling each commit it got back.

It is no test: test_crashes starts and kills it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from app.domain.drafts import Draft
from contract.events import MessageUpserted
from tests.app.store.values import HOME, conversation, entry, event, fill, message, open_at


def _tell(kind: str, number: int) -> None:
    print(json.dumps({"event": kind, "number": number}), flush=True)


async def _submit(store_folder: Path, start: int) -> None:
    store = await open_at(store_folder)
    if await store.cache.cursor() is None:
        await fill(store, (conversation(),))

    async def receive() -> None:
        number = start
        while True:
            cursor = await store.cache.cursor() or 0
            batch = [
                event(cursor + n, MessageUpserted(message=message(f"e{cursor + n}", at=cursor + n)))
                for n in range(1, 40)
            ]
            await store.cache.apply_events(batch, cursor + 39)
            _tell("applied", cursor + 39)
            number += 1

    async def send() -> None:
        number = start
        while True:
            await store.drafts.save(Draft(HOME, f"text {number}"))
            await store.outbox.clear_draft_and_add(entry(f"w{number:06}", f"text {number}"))
            _tell("sent", number)
            number += 1

    await asyncio.gather(receive(), send())


if __name__ == "__main__":
    sys.stdin.readline()
    asyncio.run(_submit(Path(sys.argv[1]), int(sys.argv[2])))
