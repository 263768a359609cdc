"""A process that writes a store's search index anew, telling each step, until it is killed.

It is no test: test_upkeep starts and kills it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.app.store.values import open_at


def _tell(fraction: float) -> None:
    print(json.dumps({"event": "step", "fraction": fraction}), flush=True)


async def _rebuild(folder: Path) -> None:
    store = await open_at(folder)
    if await store.upkeep.is_index_unfinished():
        await store.upkeep.finish_index(_tell)
    else:
        await store.upkeep.rebuild_index(_tell)
    await store.close()


if __name__ == "__main__":
    sys.stdin.readline()
    asyncio.run(_rebuild(Path(sys.argv[1])))
    print('{"event": "rebuilt"}', flush=True)
