"""Keeps attachments encrypted within a size, and lets them go with what was revoked or erased.

It never touches a line: what is kept was written by the test.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from app.store.file_sealing import CHUNK_BYTES, SealBroken, seal, unseal
from app.store.store import Store
from contract.events import AccessRevoked, Erased, MessageUpserted
from contract.ids import AttachmentId, ConversationId, MessageId
from contract.wire import Attachment
from tests.app.store.values import HOME, conversation, event, fill, message, open_at

_KEY = b"k" * 32
_CANARY = b"CANARY account 4411 "


def _file(folder: Path, name: str, size_bytes: int = 200_000) -> tuple[Attachment, Path]:
    """Write a file of readable text and return what the wire says of it."""
    data = (_CANARY + name.encode()) * (size_bytes // 20)
    path = folder / f"{name}.plain"
    path.write_bytes(data)
    attachment = Attachment(
        attachment_id=AttachmentId(name),
        name=f"{name}.pdf",
        media_type="application/pdf",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    return attachment, path


def _kept(folder: Path) -> list[Path]:
    return sorted((folder / "attachments").glob("*"))


def _sealed(data: bytes) -> bytes:
    sink = io.BytesIO()
    seal(_KEY, b"name", io.BytesIO(data), sink)
    return sink.getvalue()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 300_000])
def test_a_sealed_file_is_read_back_whole(size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    assert b"".join(unseal(_KEY, b"name", io.BytesIO(_sealed(data)))) == data


def test_no_byte_of_a_sealed_file_can_be_changed_moved_or_left_out() -> None:
    sealed = _sealed(b"x" * (3 * CHUNK_BYTES + 5))
    step = CHUNK_BYTES + 16
    first, rest = sealed[:40], sealed[40:]
    chunks = [rest[n : n + step] for n in range(0, len(rest), step)]
    broken = {
        "shorter": sealed[:-1],
        "whole chunks only": first + b"".join(chunks[:-1]),
        "swapped": first + chunks[1] + chunks[0] + b"".join(chunks[2:]),
        "doubled": first + chunks[0] + b"".join(chunks),
        "another's salt": _sealed(b"")[:40] + rest,
        "empty": b"",
    }
    for at in (0, 10, 41, len(sealed) // 2, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        broken[f"byte {at}"] = bytes(changed)
    for name, data in broken.items():
        with pytest.raises(SealBroken):
            list(unseal(_KEY, b"name", io.BytesIO(data)))
            pytest.fail(name)
    with pytest.raises(SealBroken):
        list(unseal(_KEY, b"another name", io.BytesIO(sealed)))


async def test_what_is_kept_comes_back_whole_and_is_readable_nowhere(tmp_path: Path) -> None:
    store = await open_at(tmp_path / "store")
    attachment, plain = _file(tmp_path, "a")
    await store.files.keep(attachment, plain, HOME)
    target = tmp_path / "target"
    assert await store.files.fetch(attachment, target)
    assert target.read_bytes() == plain.read_bytes()
    (kept,) = _kept(tmp_path / "store")
    assert _CANARY not in kept.read_bytes() and "a.pdf" not in kept.name
    assert kept.stat().st_mode & 0o777 == 0o600
    await store.close()
    again = await open_at(tmp_path / "store")
    target.unlink()
    assert await again.files.fetch(attachment, target)
    await again.close()


async def test_the_longest_unused_go_first_when_the_limit_is_reached(tmp_path: Path) -> None:
    store = await open_at(tmp_path / "store")
    store.files.limit_bytes = 650_000
    files = [_file(tmp_path, name) for name in "abc"]
    for attachment, plain in files:
        await store.files.keep(attachment, plain)
    target = tmp_path / "target"
    assert await store.files.fetch(files[0][0], target)
    await store.files.keep(*_file(tmp_path, "d"))
    there = []
    for attachment, _ in (*files, _file(tmp_path, "d")):
        target.unlink(missing_ok=True)
        there.append(await store.files.fetch(attachment, target))
    assert there == [True, False, True, True]
    assert await store.files.held_bytes() == sum(
        each.stat().st_size for each in _kept(tmp_path / "store")
    )
    store.files.limit_bytes = 0
    await store.files.trim()
    assert _kept(tmp_path / "store") == [] and await store.files.held_bytes() == 0
    await store.files.keep(*files[0])
    assert _kept(tmp_path / "store") == []
    await store.close()


async def test_a_file_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    store = await open_at(tmp_path / "store")
    store.files.limit_bytes = 100_000
    await store.files.keep(*_file(tmp_path, "a"))
    assert await store.files.held_bytes() == 0
    await store.close()


async def _with_files(folder: Path) -> Store:
    """Open a store with two conversations and a kept file of each."""
    store = await open_at(folder / "store")
    await fill(store, (conversation(), conversation("other")), (message("m1"),))
    for name, home in (("a", HOME), ("b", ConversationId("other"))):
        attachment, plain = _file(folder, name)
        await store.files.keep(attachment, plain, home)
    return store


@pytest.mark.parametrize("removal", ["erased", "revoked"])
async def test_files_go_with_what_was_erased_or_revoked(tmp_path: Path, removal: str) -> None:
    store = await _with_files(tmp_path)
    body = (
        Erased(conversation_id=HOME, message_ids=(MessageId("m1"),))
        if removal == "erased"
        else AccessRevoked(conversation_id=HOME)
    )
    changes = await store.cache.apply_events([event(2, body)], 2)
    assert changes.files_gone
    assert not await store.files.fetch(_file(tmp_path, "a")[0], tmp_path / "target")
    await store.files.sweep()
    assert len(_kept(tmp_path / "store")) == 1
    assert await store.files.fetch(_file(tmp_path, "b")[0], tmp_path / "target")
    await store.close()


async def test_an_erased_message_the_cache_let_go_takes_its_file_too(tmp_path: Path) -> None:
    store = await _with_files(tmp_path)
    gone = Erased(conversation_id=HOME, message_ids=(MessageId("long-ago"),))
    await store.cache.apply_events([event(2, gone)], 2)
    await store.files.sweep()
    assert len(_kept(tmp_path / "store")) == 1
    await store.close()


async def test_a_resync_that_misses_messages_takes_every_file(tmp_path: Path) -> None:
    store = await _with_files(tmp_path)
    await store.cache.begin_resync()
    await fill(store, (conversation(), conversation("other")), (message("m2"),))
    await store.files.sweep()
    assert _kept(tmp_path / "store") == []
    await store.close()


async def test_an_ordinary_event_takes_no_file(tmp_path: Path) -> None:
    store = await _with_files(tmp_path)
    news = event(2, MessageUpserted(message=message("m1", "changed", version=2)))
    assert not (await store.cache.apply_events([news], 2)).files_gone
    await store.files.sweep()
    assert len(_kept(tmp_path / "store")) == 2
    await store.close()


async def test_what_a_crash_left_is_swept(tmp_path: Path) -> None:
    store = await _with_files(tmp_path)
    for name in ("stray", "stray.0badcafe.part"):
        (tmp_path / "store" / "attachments" / name).write_bytes(b"half")
    await store.files.sweep()
    assert len(_kept(tmp_path / "store")) == 2
    await store.files.purge_all()
    assert _kept(tmp_path / "store") == []
    await store.close()


async def test_a_wiped_cache_takes_every_file(tmp_path: Path) -> None:
    store = await _with_files(tmp_path)
    await store.cache.purge_all()
    await store.files.sweep()
    assert _kept(tmp_path / "store") == []
    await store.close()
