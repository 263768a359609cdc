"""Owns which policy bundle hints rest on: signed by a key that is believed, and never an older one.

It never asks the backend, and it keeps the bundle in force until a newer one holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.domain.errors import CorruptStore, DiskFull
from app.settings.keys import Key
from app.settings.settings import Settings
from app.store.store import Store
from contract.receipts.errors import NoteError
from contract.receipts.keys import VerifierKey
from contract.wire import CapabilitiesDocument

if TYPE_CHECKING:
    from app.hints.engine import HintEngine

META_IN_FORCE = "policy_bundle_in_force"
SAMPLE_WORKSPACE = "sample"
_NO_KEY = (
    "no key to check the firm's policy with is set on this computer: ask IT to set "
    f"{Key.POLICY_VERIFIER_KEY.value}"
)


def policy_keys(
    settings: Settings, capabilities: CapabilitiesDocument | None
) -> tuple[VerifierKey, ...]:
    """Return the keys whose signature lets a bundle in: IT's, or the sample workspace's own.

    A firm's keys are never taken from the service. Raises NoteError for one that is none.
    """
    managed = settings.text(Key.POLICY_VERIFIER_KEY)
    if managed:
        return (VerifierKey.parse(managed),)
    if capabilities is None or capabilities.workspace != SAMPLE_WORKSPACE:
        return ()
    return tuple(VerifierKey.parse(key) for key in capabilities.policy_keys)


class BundleDesk:
    """The engine in force; `engine` is None until a bundle was believed."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.engine: HintEngine | None = None
        self._store = store
        self._settings = settings
        self._turn = asyncio.Lock()
        self._unkept: bytes | None = None

    async def take(self, bundle: bytes, capabilities: CapabilitiesDocument | None) -> str:
        """Put a newer signed bundle in force; return its faults, with which the old one stays.

        The first time, the bundle that was in force last time is taken before: what a backend
        serves must be newer than that, too, or the very same, which is not compiled twice.
        """
        try:
            keys = policy_keys(self._settings, capabilities)
        except NoteError as error:
            return str(error)
        async with self._turn:
            cache = self._store.cache
            if self.engine is None:
                kept = await cache.get_meta(META_IN_FORCE)
                if kept is not None:
                    self.engine, _ = await asyncio.to_thread(_opened, None, kept, keys)
                    if self.engine is not None and kept == bundle:
                        return ""
            engine, faults = await asyncio.to_thread(_opened, self.engine, bundle, keys)
            self.engine = engine
            if not faults:
                self._unkept = bundle
        await self.keep()
        return faults

    async def keep(self) -> bool:
        """Write down the bundle in force; return False while the disk has no room for it.

        It holds all the same: what a full disk takes from nobody is the firm's policy.
        """
        async with self._turn:
            if self._unkept is None:
                return True
            try:
                await self._store.cache.put_meta(META_IN_FORCE, self._unkept)
            except (DiskFull, CorruptStore):
                return False
            self._unkept = None
            return True


def _opened(
    engine: HintEngine | None, bundle: bytes, keys: Sequence[VerifierKey]
) -> tuple[HintEngine | None, str]:
    """Compile a bundle on a worker thread; return the engine to go on with, and the faults."""
    from app.hints.engine import HintEngine
    from contract.policy.bundle import forget_sources
    from contract.policy.problems import BundleError

    if not keys:
        return engine, _NO_KEY
    try:
        if engine is None:
            return HintEngine.from_packed(bundle, keys), ""
        return engine, "; ".join(str(problem) for problem in engine.offer(bundle, keys))
    except BundleError as fault:
        return engine, "; ".join(str(problem) for problem in fault.problems)
    finally:
        forget_sources()
