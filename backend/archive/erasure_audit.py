"""Owns the check that each missing body is covered by an archived order that names its entry.

It never takes a row's word for it: the order's own body, which the log commits to, must say so.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from backend.archive.entries import StoredEntry, read_entry
from contract.receipts.leaf import Envelope, body_commitment, leaf_hash

ORDER_KINDS = frozenset({"erasure", "expiry"})


class _Order(msgspec.Struct):
    entries: frozenset[str]


class ErasureOrders:
    """The orders of one audit, each read and checked once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._named: dict[str, frozenset[str]] = {}

    def fault_of(self, entry: StoredEntry) -> str:
        """Return what is wrong with an entry's erasure in plain words, or an empty text."""
        order_id = entry.erased_by
        if order_id is None:
            return ""
        if entry.body is not None:
            return f"entry {entry.sequence}: it was erased, and has a body again"
        if order_id not in self._named:
            self._named[order_id] = self._read(order_id)
        if entry.entry_id not in self._named[order_id]:
            return f"entry {entry.sequence}: its body was erased without an order that names it"
        return ""

    def _read(self, order_id: str) -> frozenset[str]:
        order = read_entry(self._connection, order_id)
        if order is None or order.kind not in ORDER_KINDS:
            return frozenset()
        if order.salt is None or order.body is None or leaf_hash(order.leaf) != order.leaf_hash:
            return frozenset()
        try:
            envelope = msgspec.json.decode(order.leaf, type=Envelope)
            if body_commitment(order.salt, order.body) != envelope.body_commitment:
                return frozenset()
            return msgspec.json.decode(order.body, type=_Order).entries
        except (msgspec.DecodeError, ValueError):
            return frozenset()
