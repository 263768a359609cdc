"""How long to wait before a send is tried again.

It never sleeps and never gives up: the age of a job ends its tries.
"""

from __future__ import annotations

import random

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0
GIVE_UP_AFTER_S = 24 * 3600.0


def retry_delay_s(attempts: int, jitter: random.Random) -> float:
    """Return the seconds to wait after the given number of tries (1 …).

    Exponential with full jitter over the upper half, so that many conversations that failed
    together don't come back together.
    """
    ceiling = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(attempts - 1, 16))
    return ceiling * (0.5 + jitter.random() / 2)
