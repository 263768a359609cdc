"""A process that opens a store with an older cache and kills itself at a chosen step of that.

It is no test: test_cache_upgrades starts it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.app.store.values import open_at


class _Executioner:
    """Counts one kind of step and ends the process before the chosen one."""

    def __init__(self, kind: str, number: int) -> None:
        self._kind = kind
        self._left = number

    def on_audit(self, name: str, values: tuple[Any, ...]) -> None:
        if name == "os.rename" and self._kind == "rename" and "version" in str(values[1]):
            self._step()

    def on_statement(self, *_: Any) -> None:
        if self._kind == "statement":
            self._step()

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def _open(folder: Path) -> None:
    await (await open_at(folder)).close()


if __name__ == "__main__":
    executioner = _Executioner(sys.argv[2], int(sys.argv[3]))
    sys.addaudithook(executioner.on_audit)
    event.listen(Engine, "before_cursor_execute", executioner.on_statement)
    asyncio.run(_open(Path(sys.argv[1])))
    print('{"event": "upgraded"}', flush=True)
