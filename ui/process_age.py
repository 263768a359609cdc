"""Owns how long ago this process was started, as its system counts.

It never keeps that time: a clock that is set meanwhile changes nothing.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_STARTED_FIELD = 22  # of proc_pid_stat(5), in clock ticks since the system's start
_FIRST_AFTER_NAME = 3


def process_age_s() -> float:
    """Return the seconds since this process was started.

    Linux tells it in one line of a file; psutil, which asks the other systems, costs a megabyte.
    """
    if sys.platform == "linux":
        # The program's name stands in brackets, and may hold anything.
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        started_s = int(fields[_STARTED_FIELD - _FIRST_AFTER_NAME]) / os.sysconf("SC_CLK_TCK")
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    else:
        import psutil

        age_s = time.time() - psutil.Process().create_time()
    return age_s
