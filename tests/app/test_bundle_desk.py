"""Which policy bundle hints rest on: whose signature counts, and that versions only grow.

It never fakes the store: bundles in force are kept in an encrypted one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec
import pytest

from app.bundle_desk import META_IN_FORCE, BundleDesk
from app.domain.clock import SystemClock
from app.domain.errors import DiskFull
from app.store.store import Store
from contract.policy import bundle, publishing
from contract.policy.lexicon import Lexicon, Term
from contract.receipts.keys import KeyType
from contract.receipts.signers import signer_of
from contract.wire import CapabilitiesDocument
from tests.app.core_world import settings_with
from tests.app.hints.test_engine import SIGNER, packed
from tests.app.small_backend import SmallBackend

IT_KEY = signer_of("policy/it", KeyType.ED25519, bytes(range(7, 39)))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Yield an open encrypted store."""
    opened = await Store.open(tmp_path, tmp_path, b"c" * 32, b"o" * 32, SystemClock())
    try:
        yield opened
    finally:
        await opened.close()


def capabilities(workspace: str = "sample") -> CapabilitiesDocument:
    """Return the capabilities of a backend that names the sample's key as its own."""
    document = SmallBackend().capabilities
    keys = (str(SIGNER.verifier_key),)
    return msgspec.structs.replace(document, workspace=workspace, policy_keys=keys)


async def test_the_samples_own_key_counts_in_the_sample_alone(store: Store) -> None:
    desk = BundleDesk(store, settings_with({}))
    assert "ask IT" in await desk.take(packed(), capabilities("firm"))
    assert desk.engine is None
    assert await desk.take(packed(), capabilities()) == ""
    assert desk.engine is not None


async def test_a_key_set_by_it_counts_and_the_services_does_not(store: Store) -> None:
    desk = BundleDesk(store, settings_with({"PolicyVerifierKey": str(IT_KEY.verifier_key)}))
    assert "no known key" in await desk.take(packed(), capabilities())
    assert desk.engine is None
    ours = BundleDesk(store, settings_with({"PolicyVerifierKey": str(SIGNER.verifier_key)}))
    assert await ours.take(packed(), capabilities("firm")) == ""


async def test_an_older_bundle_is_refused_also_after_a_restart(store: Store) -> None:
    first = BundleDesk(store, settings_with({}))
    assert await first.take(packed("2026.12.2"), capabilities()) == ""
    again = BundleDesk(store, settings_with({}))
    assert "not newer" in await again.take(packed("2026.12.1"), capabilities())
    assert again.engine is not None
    assert again.engine.bundle_version == "2026.12.2"
    assert await again.take(packed("2026.12.3"), capabilities()) == ""
    assert again.engine.bundle_version == "2026.12.3"


async def test_a_full_disk_takes_no_policy_away_and_keeps_it_once_there_is_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(key: str, value: bytes) -> None:
        raise DiskFull("cache.db")

    desk = BundleDesk(store, settings_with({}))
    with monkeypatch.context() as full:
        full.setattr(store.cache, "put_meta", refused)
        assert await desk.take(packed("2026.12.2"), capabilities()) == ""
        assert desk.engine is not None
        assert desk.engine.bundle_version == "2026.12.2"
        assert not await desk.keep()
    assert await store.cache.get_meta(META_IN_FORCE) is None
    assert await desk.keep()
    assert await store.cache.get_meta(META_IN_FORCE) == packed("2026.12.2")


async def test_the_very_bundle_of_last_time_is_compiled_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bytes_in_force = packed()
    first = BundleDesk(store, settings_with({}))
    assert await first.take(bytes_in_force, capabilities()) == ""
    compiled: list[object] = []

    def counted(terms: Iterable[Term]) -> Lexicon:
        compiled.append(terms)
        return Lexicon(terms)

    monkeypatch.setattr(bundle, "Lexicon", counted)
    again = BundleDesk(store, settings_with({}))
    assert await again.take(bytes_in_force, capabilities()) == ""
    assert again.engine is not None
    assert len(compiled) == 1


async def test_no_word_list_is_kept_beside_the_compiled_bundle(store: Store) -> None:
    desk = BundleDesk(store, settings_with({}))
    assert await desk.take(packed(), capabilities()) == ""
    assert bundle._folded_words.cache_info().currsize == 0
    assert publishing._without_notes.cache_info().currsize == 0
