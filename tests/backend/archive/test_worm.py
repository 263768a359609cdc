"""The door to the object store refuses what would loosen a lock, even where the store allows it.

It never trusts the store's own rules: each refusal stands beside proof that the store would obey.
"""

from __future__ import annotations

import base64
import functools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from backend.archive.erasure import ErasureOrder, erase
from backend.archive.holds import place_hold, release_holds
from backend.archive.retention import RetentionClass, assign_class, set_class
from backend.archive.selection import Selection, sealed_records
from backend.archive.worm import (
    GOVERNANCE,
    S3Client,
    StoredVersion,
    WormNotReady,
    WormRefused,
    WormStore,
)
from backend.archive.worm_copies import WormRun, copy_sealed
from backend.inbox.uploads import stored_parts
from contract.receipts.leaf import body_commitment, leaf_hash
from tests.backend.archive.object_store import BUCKET, object_store
from tests.backend.workspace import FIRM, SOFIA, Workspace, open_workspace

DAY_MS = 86_400_000
NOW = int(time.time()) * 1000


@pytest.fixture(scope="module")
def client() -> Iterator[S3Client]:
    """Yield the client of a running store."""
    with object_store() as running:
        yield running


@pytest.fixture
def store(client: S3Client) -> WormStore:
    """Return the strict door to the store's bucket."""
    return WormStore(client, BUCKET)


@pytest.fixture
def stored(store: WormStore) -> StoredVersion:
    """Return a version locked for ten days."""
    return store.put("a", b"bytes", retain_until_utc_ms=NOW + 10 * DAY_MS, now_utc_ms=NOW)


def day(days: int) -> datetime:
    """Return a date from now."""
    return datetime.fromtimestamp((NOW + days * DAY_MS) / 1000, UTC)


def retention(client: S3Client, version: StoredVersion) -> tuple[str, datetime]:
    """Return a version's lock as the store tells it."""
    said = client.head_object(Bucket=BUCKET, Key=version.name, VersionId=version.version_id)
    return said["ObjectLockMode"], said["ObjectLockRetainUntilDate"]


def test_written_version_is_locked_and_reads_back(
    client: S3Client, store: WormStore, stored: StoredVersion
) -> None:
    store.check()
    assert retention(client, stored) == ("COMPLIANCE", day(10))
    assert store.read(stored) == b"bytes"


def test_second_write_leaves_the_first_version(store: WormStore, stored: StoredVersion) -> None:
    store.put("a", b"other", retain_until_utc_ms=NOW + DAY_MS, now_utc_ms=NOW)
    assert store.read(stored) == b"bytes"


def test_shortening_is_refused_though_the_store_allows_it(
    client: S3Client, store: WormStore, stored: StoredVersion
) -> None:
    with pytest.raises(WormRefused, match="shortened"):
        store.extend("a", stored.version_id, retain_until_utc_ms=NOW + 9 * DAY_MS, now_utc_ms=NOW)
    assert retention(client, stored) == ("COMPLIANCE", day(10))
    client.put_object_retention(
        Bucket=BUCKET,
        Key="a",
        VersionId=stored.version_id,
        Retention={"Mode": "COMPLIANCE", "RetainUntilDate": day(1)},
    )
    assert retention(client, stored)[1] == day(1), "the store alone obeys"


def test_downgrading_is_refused_though_the_store_allows_it(
    client: S3Client, store: WormStore, stored: StoredVersion
) -> None:
    later = NOW + 20 * DAY_MS
    with pytest.raises(WormRefused, match="downgraded"):
        store.extend(
            "a", stored.version_id, retain_until_utc_ms=later, now_utc_ms=NOW, mode=GOVERNANCE
        )
    with pytest.raises(WormRefused, match="mode"):
        store.extend("a", stored.version_id, retain_until_utc_ms=later, now_utc_ms=NOW, mode="")
    assert retention(client, stored)[0] == "COMPLIANCE"
    client.put_object_retention(
        Bucket=BUCKET,
        Key="a",
        VersionId=stored.version_id,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": day(20)},
    )
    assert retention(client, stored)[0] == "GOVERNANCE", "the store alone obeys"


def test_past_dates_are_refused_though_the_store_allows_them(
    client: S3Client, store: WormStore, stored: StoredVersion
) -> None:
    for past in (NOW, NOW - 1, NOW - DAY_MS):
        with pytest.raises(WormRefused, match="past"):
            store.put("b", b"x", retain_until_utc_ms=past, now_utc_ms=NOW)
        with pytest.raises(WormRefused, match="past"):
            store.extend("a", stored.version_id, retain_until_utc_ms=past, now_utc_ms=NOW)
    client.put_object_retention(
        Bucket=BUCKET,
        Key="a",
        VersionId=stored.version_id,
        Retention={"Mode": "COMPLIANCE", "RetainUntilDate": day(-1)},
    )
    assert retention(client, stored)[1] == day(-1), "the store alone obeys"


def test_suspending_versions_is_refused_though_the_store_allows_it(
    client: S3Client, store: WormStore
) -> None:
    with pytest.raises(WormRefused, match="never suspended"):
        store.set_versioning("Suspended")
    try:
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
        assert client.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Suspended"
        with pytest.raises(WormRefused, match="keeps no versions"):
            store.put("c", b"x", retain_until_utc_ms=NOW + DAY_MS, now_utc_ms=NOW)
        with pytest.raises(WormNotReady, match="versioning"):
            store.check()
    finally:
        store.set_versioning("Enabled")
    store.check()


def test_locked_versions_are_not_deleted_or_hidden(store: WormStore, stored: StoredVersion) -> None:
    with pytest.raises(WormRefused, match="still runs"):
        store.delete("a", stored.version_id, now_utc_ms=NOW)
    with pytest.raises(WormRefused, match="version"):
        store.delete("a", "", now_utc_ms=NOW)
    assert store.read(stored) == b"bytes"


def test_legal_hold_keeps_a_version_past_its_date(client: S3Client, store: WormStore) -> None:
    version = store.put("h", b"held", retain_until_utc_ms=NOW + DAY_MS, now_utc_ms=NOW)
    store.hold("h", version.version_id)
    with pytest.raises(WormRefused, match="legal hold"):
        store.delete("h", version.version_id, now_utc_ms=NOW + 2 * DAY_MS)
    store.release_hold("h", version.version_id)
    with pytest.raises(WormRefused, match="still runs"):
        store.delete("h", version.version_id, now_utc_ms=NOW)


def test_longer_is_allowed(client: S3Client, store: WormStore, stored: StoredVersion) -> None:
    store.extend("a", stored.version_id, retain_until_utc_ms=NOW + 30 * DAY_MS, now_utc_ms=NOW)
    assert retention(client, stored) == ("COMPLIANCE", day(30))


def test_bucket_without_lock_is_not_used(client: S3Client) -> None:
    client.create_bucket(  # type: ignore[attr-defined]  # not a call of the product
        Bucket="plain", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    with pytest.raises(WormNotReady, match="versioning"):
        WormStore(client, "plain").check()


async def copied(workspace: Workspace, store: WormStore, ahead_ms: int = 0) -> WormRun:
    """Copy what is sealed."""
    services = workspace.services

    def read_file(attachment_id: str) -> bytes:
        parts = services.database.read_now(lambda c: stored_parts(c, attachment_id))
        return b"".join(
            b for part in parts for b in services.blobs.read(attachment_id, *part, *part)
        )

    return copy_sealed(services.database, store, read_file, lambda: NOW + ahead_ms)


async def test_each_sealed_entry_is_copied_once_and_can_be_checked(
    tmp_path: Path, client: S3Client, store: WormStore
) -> None:
    async with open_workspace(tmp_path) as workspace:
        workspace.clock.at_utc_ms = NOW
        await workspace.inbound("Keep me")
        await workspace.sealing.sealed()
        sealed = await workspace.services.database.read(
            lambda c: sealed_records(c, Selection(), 10)
        )
        assert await copied(workspace, store) == WormRun(len(sealed), 0, 0, 0)
        assert await copied(workspace, store) == WormRun(0, 0, 0, 0)
        name = f"entries/000000/{sealed[-1].leaf_index}.json"
        said = client.get_object(Bucket=BUCKET, Key=name)
        kept = msgspec.json.decode(said["Body"].read())
        leaf, body = base64.b64decode(kept["leaf"]), base64.b64decode(kept["body"])
        assert leaf_hash(leaf) == sealed[-1].leaf_hash
        committed = body_commitment(bytes.fromhex(kept["salt"]), body)
        assert committed == sealed[-1].envelope.body_commitment
        assert said["ObjectLockMode"] == "COMPLIANCE"


async def test_copy_of_an_erased_entry_waits_for_its_lock(tmp_path: Path, store: WormStore) -> None:
    async with open_workspace(tmp_path) as workspace:
        workspace.clock.at_utc_ms = NOW
        message_id = await workspace.inbound("Erase me")
        await copied(workspace, WormStore(store._client, BUCKET))
        order = ErasureOrder(
            firm_id=FIRM, actor_id="officer", basis="request", message_ids=(message_id,)
        )
        await workspace.services.database.write(lambda c: erase(c, order, NOW))
        await workspace.sealing.sealed()
        run = await copied(workspace, store)
        assert (run.removed, run.locked) == (0, 1)


async def test_longer_class_extends_the_locks_that_stand(
    tmp_path: Path, client: S3Client, store: WormStore
) -> None:
    bucket = "extended"
    client.create_bucket(  # type: ignore[attr-defined]  # not a call of the product
        Bucket=bucket,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    store = WormStore(client, bucket)
    async with open_workspace(tmp_path) as workspace:
        workspace.clock.at_utc_ms = NOW
        await workspace.inbound("Keep me")
        written = (await copied(workspace, store)).written
        long = RetentionClass(class_id="long", title="Long", keep_months=120, source="test")
        database = workspace.services.database
        await database.write(lambda c: set_class(c, FIRM, long, "officer", NOW))
        await database.write(lambda c: assign_class(c, FIRM, "firm", "", "long", "officer", NOW))
        await workspace.sealing.sealed()
        run = await copied(workspace, store)
        assert (run.written, run.extended) == (2, written)
        assert (await copied(workspace, store)).extended == 0
        said = client.head_object(Bucket=bucket, Key="entries/000000/0.json")
        assert said["ObjectLockRetainUntilDate"] > day(119 * 30)


async def test_legal_holds_are_mirrored_on_the_copies(tmp_path: Path, client: S3Client) -> None:
    store = lockable(client, "held")
    async with open_workspace(tmp_path) as workspace:
        workspace.clock.at_utc_ms = NOW
        database = workspace.services.database
        first = await workspace.inbound("Held")
        await workspace.inbound("Not held", account="acc-signal", point=SOFIA)
        await copied(workspace, store)
        home = await workspace.conversation_of(first)
        for matter, scope, scope_id in (("M-1", "conversation", home), ("M-2", "message", first)):
            place = functools.partial(
                place_hold,
                firm_id=FIRM,
                matter=matter,
                scope=scope,
                scope_id=scope_id,
                actor_id="officer",
                now_utc_ms=NOW,
            )
            await database.write(place)
        await workspace.sealing.sealed()
        assert await mirrored(workspace, store) == (1, 0)
        assert await mirrored(workspace, store) == (0, 0)
        await workspace.inbound("Held from its first copy on")
        assert await mirrored(workspace, store) == (0, 0)
        held = {name for name in names_in(client, "held") if is_held(client, "held", name)}
        indexes = await leaf_indexes(workspace, home)
        assert held == {f"entries/000000/{index}.json" for index in indexes}
        assert len(held) == 2
        await released(workspace, "M-1")
        assert await mirrored(workspace, store) == (0, 1), "the other matter keeps the first one"
        await released(workspace, "M-2")
        assert await mirrored(workspace, store) == (0, 1)
        assert not any(is_held(client, "held", name) for name in names_in(client, "held"))


async def test_mirroring_cut_short_is_done_again(tmp_path: Path, client: S3Client) -> None:
    class Failing(WormStore):
        """Fails at the second hold."""

        holds = 0

        def hold(self, name: str, version_id: str) -> None:
            """Put a hold, the second time not."""
            self.holds += 1
            if self.holds == 2:
                raise WormNotReady("cut short")
            super().hold(name, version_id)

    store = lockable(client, "cut")
    async with open_workspace(tmp_path) as workspace:
        workspace.clock.at_utc_ms = NOW
        await workspace.inbound("One")
        copies = (await copied(workspace, store)).written
        await workspace.services.database.write(
            lambda c: place_hold(c, FIRM, "M", "firm", "", "officer", NOW)
        )
        with pytest.raises(WormNotReady, match="cut short"):
            await mirrored(workspace, Failing(client, "cut"))
        assert await mirrored(workspace, store) == (copies, 0)


def lockable(client: S3Client, bucket: str) -> WormStore:
    """Return the door to a new bucket with Object Lock."""
    client.create_bucket(  # type: ignore[attr-defined]  # not a call of the product
        Bucket=bucket,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    return WormStore(client, bucket)


async def mirrored(workspace: Workspace, store: WormStore) -> tuple[int, int]:
    """Run a copy; return how many copies were put on hold and how many released."""
    run = await copied(workspace, store)
    return run.held, run.lifted


async def released(workspace: Workspace, matter: str) -> None:
    """Release a matter's holds and have that sealed."""
    await workspace.services.database.write(
        lambda c: release_holds(c, FIRM, matter, "officer", NOW)
    )
    await workspace.sealing.sealed()


async def leaf_indexes(workspace: Workspace, conversation_id: str) -> list[int]:
    """Return the places in the log of a conversation's entries."""
    chosen = Selection(conversation_ids=(conversation_id,))
    records = await workspace.services.database.read(lambda c: sealed_records(c, chosen, 10))
    return [record.leaf_index for record in records]


def names_in(client: S3Client, bucket: str) -> list[str]:
    """Return every object's name in a bucket."""
    said = client.list_objects_v2(Bucket=bucket)  # type: ignore[attr-defined]  # boto3's own
    return [item["Key"] for item in said["Contents"]]


def is_held(client: S3Client, bucket: str, name: str) -> bool:
    """Tell whether the store has an object on legal hold."""
    said = client.head_object(Bucket=bucket, Key=name)
    return bool(said.get("ObjectLockLegalHoldStatus") == "ON")
