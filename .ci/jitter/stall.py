"""Stops random processes below one for a moment, again and again, until that one ends.

It never stops the first process itself, and leaves none stopped.
"""

import os
import random
import signal
import sys
import time

import psutil

MOST_STOPPED_S = 0.35
MOST_BETWEEN_S = 0.25


def main():
    """Stall the descendants of the process whose id is the first argument."""
    root = psutil.Process(int(sys.argv[1]))
    draw = random.Random()
    while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
        time.sleep(draw.random() * MOST_BETWEEN_S)
        try:
            below = [each for each in root.children(recursive=True) if is_ours(each)]
        except psutil.NoSuchProcess:
            return
        if below:
            stall(draw.choice(below), draw.random() * MOST_STOPPED_S)


def is_ours(process):
    """Tell whether a process is a Python of the run; session buses and databases are left alone."""
    try:
        return process.pid != os.getpid() and process.name().startswith("python")
    except psutil.Error:
        return False


def stall(process, stopped_s):
    """Stop a process for this long."""
    try:
        if process.status() == psutil.STATUS_STOPPED:
            return
        process.send_signal(signal.SIGSTOP)
        time.sleep(stopped_s)
        process.send_signal(signal.SIGCONT)
    except psutil.Error:
        return


if __name__ == "__main__":
    main()
