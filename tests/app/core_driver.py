"""Runs a core as a process of its own, so that tests can kill it without warning.

It never ends by itself before its input closes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from contract.wire import Channel
from tests.app.core_world import conversation_on, running_core


async def drive(folder: Path) -> None:
    """Open, connect, tell the backend's process id, send one message, wait."""
    async with running_core(folder) as core:
        chat = await conversation_on(core, Channel.LINE)
        for number in range(5):
            await core.messaging.send(chat, f"before the kill {number}")
        print(json.dumps({"ready": True}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(drive(Path(json.loads(sys.stdin.readline())["folder"])))
