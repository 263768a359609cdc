"""Owns the keys in force over time: founded, kept, changed by signed statements alone.

It never takes a statement that no pinned recovery key has signed, and none twice.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from app.archive.keeper import TREE, CheckpointKeeper, SeenTree
from app.archive.pins import ManagedKeys, Policy, Trust, found, policy_of, same_archive
from app.archive.successions import Succession, succession_of
from app.store.store import Store
from backend_client.client import GovernedApi
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.wire import CapabilitiesDocument

TRUST = "trust"

_LOG = logging.getLogger(__name__)


class TrustKeeper:
    """`policy` is None while there is no key to believe; `faulty` tells that one can't be read.

    `followed` counts the statements followed in this run. Checks run side by side, so keys change
    for one asker at a time, and in one step with the tree that belongs to them.
    """

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        keeper: CheckpointKeeper,
        managed: ManagedKeys,
    ) -> None:
        self._api = api
        self._store = store
        self._keeper = keeper
        self._managed = managed
        self._trust: Trust | None = None
        self._changing = asyncio.Lock()
        self.policy: Policy | None = None
        self.faulty = False
        self.followed = 0

    @property
    def recovery_keys(self) -> tuple[VerifierKey, ...]:
        """Return the keys whose statements count, as IT set them."""
        return tuple(VerifierKey.parse(key) for key in self._managed.recovery_keys)

    def keyless(self, capabilities: CapabilitiesDocument | None) -> bool:
        """Tell that neither IT nor a sample names a key; not before the service was asked."""
        if self._trust is not None or capabilities is None:
            return False
        return found(self._managed, capabilities, None) is None

    async def load(self) -> None:
        """Read the keys kept last time."""
        kept = await self._store.archive.get(TRUST)
        try:
            self._take(None if kept is None else msgspec.json.decode(kept, type=Trust))
        except msgspec.DecodeError:
            self._take(None)

    async def refound(self, capabilities: CapabilitiesDocument | None, *, alarmed: bool) -> bool:
        """Look at settings and service anew; return True when another archive is believed now.

        While an alarm stands a sample's keys are not exchanged for another sample's.
        """
        async with self._changing, self._keeper.admitting:
            return await self._refound(capabilities, alarmed)

    async def _refound(self, capabilities: CapabilitiesDocument | None, alarmed: bool) -> bool:
        old = self._trust
        new = found(self._managed, capabilities, old)
        if new is None or new == old or (alarmed and new.is_sample):
            return False
        goes_on = same_archive(old, new)
        await self._exchange(new, self._keeper.tree if goes_on else None)
        _LOG.info("archive keys taken from %s", "the sample" if new.is_sample else "settings")
        return not goes_on

    async def apply_statements(self) -> bool:
        """Ask for statements and follow those that are new and signed; return True when any was.

        Raises ClientError when the service can't be asked now.
        """
        async with self._changing:
            trust, recovery = self._trust, self.recovery_keys
            if trust is None or not recovery:
                return False
            followed = self.followed
            for note in await self._api.archive.statements():
                async with self._keeper.admitting:
                    step = succession_of(note.encode(), trust, self._keeper.tree, recovery)
                    if step is not None:
                        await self._follow(step)
                        trust = step.trust
            return self.followed > followed

    async def _follow(self, step: Succession) -> None:
        await self._exchange(step.trust, step.tree)
        self.followed += 1
        _LOG.warning("archive: a signed statement was followed (%s)", step.kind)

    async def _exchange(self, trust: Trust, tree: SeenTree | None) -> None:
        """Keep keys and tree, then go on from both in one step: no check sees half of it."""
        values: dict[str, bytes | None] = {TRUST: msgspec.json.encode(trust)}
        is_other = tree is not self._keeper.tree
        if is_other:
            values[TREE] = None if tree is None else msgspec.json.encode(tree)
        await self._store.archive.put(values)
        if is_other:
            self._keeper.put_aside(tree)
        self._take(trust)

    def _take(self, trust: Trust | None) -> None:
        self._trust, self.policy, self.faulty = trust, None, False
        if trust is None:
            return
        try:
            self.policy = policy_of(trust)
        except ReceiptError as fault:
            self.faulty = True
            _LOG.error("the archive's keys can't be used: %s", fault.code)
