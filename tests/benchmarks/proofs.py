"""Measures what a client pays for a proof: a whole receipt, and the log's growth.

It never verifies the same receipt of a run twice in a row.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from contract.receipts import KeyType, Signer, verify_consistency, verify_receipt
from contract.receipts.keys import log_name, witness_name
from contract.receipts.leaf import leaf_bytes
from tests.benchmarks.archive_side import INSTANCE_ID, EntrySource
from tests.benchmarks.lines import Group, Line, at_most
from tests.benchmarks.measuring import MS, SEED, US, each_s
from tests.support.sealed_log import SealedLog, signer

LEAVES = 1_000_000
SAMPLES = 200

LINES = (
    Line(
        "receipt: verify, 1 M leaves, 3 witnesses",
        "ms",
        at_most(1),
        f"parse, log's signature, three cosignatures, inclusion; median of {SAMPLES} entries",
    ),
    Line(
        "receipt: its size",
        "bytes",
        at_most(1500),
        "the longest, with names as installations have",
    ),
    Line(
        "consistency proof: build",
        "µs",
        at_most(50),
        f"from a size drawn to 1 M leaves, nodes in memory; median of {SAMPLES}",
    ),
    Line("consistency proof: verify", "µs", at_most(50), f"the same {SAMPLES} proofs; median"),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES; no file is written."""
    chance, source = random.Random(SEED), EntrySource()
    entries = [b"entry %d" % number for number in range(LEAVES)]
    chosen = chance.sample(range(LEAVES), SAMPLES)
    for index in chosen:
        entries[index] = leaf_bytes(source.next().envelope)
    log = SealedLog(entries, _witnesses(), log_name(INSTANCE_ID))
    receipts = [log.receipt(index) for index in chosen]
    keys = log.witness_keys
    checks = [
        partial(verify_receipt, receipt, entries[index], log.key, keys, 3)
        for index, receipt in zip(chosen, receipts, strict=True)
    ]
    yield median(each_s(checks)) * MS
    yield max(map(len, receipts))
    sizes = chance.sample(range(1, LEAVES), SAMPLES)
    yield median(each_s([partial(log.tree.consistency, size) for size in sizes])) * US
    root = log.tree.root()
    growths = [
        partial(
            verify_consistency, size, LEAVES, log.tree.consistency(size), log.tree.root(size), root
        )
        for size in sizes
    ]
    yield median(each_s(growths)) * US


def _witnesses() -> list[Signer]:
    """Return three witnesses with names as long as those they give themselves."""
    names = [witness_name(bytes((1, 2, number))) for number in (1, 2, 3)]
    return [signer(name, KeyType.COSIGNATURE_V1) for name in names]


GROUP = Group(LINES, measure)
