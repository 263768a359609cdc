"""Owns how the C library's allocator holds memory: in few arenas, given back when it is quiet.

It never frees an object, and does nothing where the C library is not glibc.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctypes import CDLL

_M_ARENA_MAX = -8  # malloc.h of glibc
_ARENAS = 2


def limit_arenas() -> None:
    """Let threads share two arenas: each of its own keeps megabytes that no other can use.

    See mallopt(3). It holds for threads started from now on.
    """
    if (library := _library()) is not None:
        library.mallopt(_M_ARENA_MAX, _ARENAS)


def frugal_environment() -> dict[str, str]:
    """Return with which variables a child's allocator gives back what it no longer holds.

    Blocks from 64 kB on are mapped each by itself, few arenas are kept, and the heap's free end
    goes back beyond 128 kB; glibc's own limits grow with what a start needs once. See mallopt(3).
    """
    if sys.platform != "linux":
        return {}
    return {
        "MALLOC_ARENA_MAX": str(_ARENAS),
        "MALLOC_MMAP_THRESHOLD_": str(64 * 1024),
        "MALLOC_TRIM_THRESHOLD_": str(128 * 1024),
    }


def give_back() -> None:
    """Return free memory to the system (under a millisecond; see malloc_trim(3))."""
    if (library := _library()) is not None:
        library.malloc_trim(0)


def _library() -> CDLL | None:
    if sys.platform != "linux":
        return None
    from ctypes import CDLL

    library = CDLL(None)
    return library if hasattr(library, "malloc_trim") else None
