"""Where a fuse is set into the client and into the backend: at their commits and their I/O.

It never changes what a step does, only whether the process lives to see the next one.
"""

from __future__ import annotations

import re
from typing import Any

from app.core import Core
from tests.support.fuse import Fuse, qualified_name

_SUBMISSION = re.compile(rb"POST /v1/conversations/[^ ]+/messages HTTP")
_NOT_OF_A_SEND = {"CacheWrites.put_meta", "OutboxStore.retry_now"}


def fuse_client(core: Core, fuse: Fuse) -> None:
    """Set steps around each commit of an open core's store, and around its submissions.

    The steps of a submission: about to be written, all its bytes written, answer received.
    """
    databases = core.store._databases
    fuse.around(databases, "_commit_outbox", lambda work: _step("outbox", work))
    fuse.around(databases, "_commit_cache", lambda work: _step("cache", work))
    fuse.around_async(core.api.commands, "submit", lambda *_: "submission")
    _fuse_wire(fuse)


def _step(file: str, work: object) -> str:
    """Name a commit; those that belong to the connection's start, not to a send, are none."""
    name = qualified_name(work)
    return "" if name in _NOT_OF_A_SEND else f"{file}: {name}"


def _fuse_wire(fuse: Fuse) -> None:
    """Set a step behind the last byte of a submission: the backend has it, no answer is read."""
    from httpcore._backends.anyio import AnyIOStream

    inner = AnyIOStream.write
    begun: set[int] = set()

    async def write(self: Any, buffer: bytes, timeout: float | None = None) -> None:
        await inner(self, buffer, timeout)
        if _SUBMISSION.match(buffer):
            begun.add(id(self))
        elif id(self) in begun and buffer:
            begun.discard(id(self))
            fuse.step("after request written")

    AnyIOStream.write = write  # type: ignore[method-assign]  # the wire has no other seam
