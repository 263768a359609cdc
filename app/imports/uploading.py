"""Owns the way of an original file to the backend: in pieces, resumed after the line was lost.

It never knows what the file is, and never gives up before the line was away for minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from app.domain.errors import AppError, Conflict, Refused
from app.faults import to_app_error
from backend_client.backoff import Backoff
from backend_client.errors import ClientError
from contract.problems import ProblemCode

PIECE_BYTES = 1024 * 1024
MOST_FAILURES = 12
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.3, 30.0

Told = Callable[[float], None]
T = TypeVar("T")


async def upload(
    path: Path,
    size_bytes: int,
    held: Callable[[], Awaitable[int]],
    put: Callable[[int, bytes], Awaitable[int]],
    told: Told,
) -> None:
    """Bring a file's bytes over; a second call goes on where the first one ended.

    `held` asks how many bytes the backend holds, `put` sends a piece for an offset and returns
    how many it holds then; both raise ClientError. `told` hears the fraction that is there.
    Raises Refused when the file can't be read or got shorter, Offline and its like after many
    failures without progress.
    """
    at_bytes = await patiently(held)
    patience = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
    while at_bytes < size_bytes:
        told(at_bytes / size_bytes)
        piece = await asyncio.to_thread(_piece, path, at_bytes)
        if not piece:
            raise Refused("The file got shorter meanwhile. Export the chat once more.")
        try:
            at_bytes = await put(at_bytes, piece)
            patience.reset()
        except ClientError as fault:
            await wait_or_raise(fault, patience)
            at_bytes = await patiently(held)  # a lost answer may have moved it
    told(1.0)


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until there is an answer; raises what asking again can't mend."""
    patience = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
    while True:
        try:
            return await ask()
        except ClientError as fault:
            await wait_or_raise(fault, patience)


async def wait_or_raise(fault: ClientError, patience: Backoff) -> None:
    """Wait before asking again, or raise the app's error where that makes no sense any more."""
    error = to_app_error(fault)
    if not (error.retryable or _moved(error)) or patience.failures >= MOST_FAILURES:
        raise error from fault
    await asyncio.sleep(patience.next_s(error.retry_after_s))


def _moved(error: AppError) -> bool:
    """Tell whether the backend only holds another number of bytes than was thought."""
    code = error.problem.code if isinstance(error, Conflict) and error.problem else ""
    return code == ProblemCode.CONFLICT


def _piece(path: Path, offset_bytes: int) -> bytes:
    try:
        with path.open("rb") as source:
            source.seek(offset_bytes)
            return source.read(PIECE_BYTES)
    except OSError as fault:
        raise Refused(f"The file can’t be read: {fault.strerror}.") from fault
