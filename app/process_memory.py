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
