"""Builds the client's data folder with a million messages that the benchmarks run over.

It never writes a row but through the store's own methods, and never into a folder that is in use.

The folder is what PARLEY_DATA_DIR names. Its embedded backend holds the sample workspace, which
was really synced: the stream goes on from a cursor that is true. The other conversations
(`bench-00000`, the big one, and so on) are known to the client alone.

PARLEY_BENCH_DATA names a folder built before that is to be used as it is.

Usage: python -m tests.benchmarks.dataset [--messages N] [--conversations N] [--out DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import itertools
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import msgspec

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.drafts import Draft
from app.domain.status import Link
from app.session.keys import INSTANCE_FILE, DataFolder, KeyVault, MasterKey
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from app.store import cache_tables, outbox_tables, search_rows
from app.store.store import Store
from app.sync.reference import META_ME
from contract import search_letters, search_tags, search_terms
from contract.ids import ConversationId
from contract.wire import Me
from tests.benchmarks import dataset_rows, dataset_texts
from tests.benchmarks.dataset_rows import Bank
from tests.benchmarks.measuring import SEED
from tests.support.surroundings import ROOT
from tests.support.waiting import eventually

MESSAGES = 1_000_000
CONVERSATIONS = 10_000
BIG_CONVERSATION = "bench-00000"
DRAFTS = 12
INSTANCE = "be9c" * 4
MASTER = MasterKey(hashlib.sha256(b"parley benchmark data").digest())
KEPT = ROOT / "out" / "bench-data"
GIVEN_VARIABLE = "PARLEY_BENCH_DATA"
_MESSAGES_PER_COMMIT = 4_000
_SYNCED_WITHIN_S = 120.0
_SOURCES = (
    cache_tables,
    outbox_tables,
    search_letters,
    search_rows,
    search_tags,
    search_terms,
    dataset_rows,
    dataset_texts,
)


class KnownKey(KeyVault):
    """Gives the data set's key, where there is a keyring and where there is none."""

    def load_or_create(self, paths: DataFolder) -> MasterKey:
        """Return the key."""
        return MASTER


def folders(root: Path) -> AppPaths:
    """Return the folders below `root` as PARLEY_DATA_DIR lays them out."""
    data = root / "data"
    return AppPaths(
        data_dir=data, outbox_dir=data, config_dir=root / "config", log_dir=root / "logs"
    )


def make_core(root: Path) -> Core:
    """Return a core over a copy of the data set that needs no keyring and sends at once."""
    source = Source(Origin.USER, "the benchmark", {"UndoSendSeconds": 0})
    core = Core(Settings(load_schema(), [source]), folders(root), SystemClock())
    core.vault = KnownKey()
    return core


async def open_store(root: Path) -> Store:
    """Open the store of a copy of the data set."""
    data = root / "data"
    return await Store.open(
        data, data, MASTER.derive("cache"), MASTER.derive("outbox"), SystemClock()
    )


def put_key_in_keyring() -> None:
    """Put the data set's key into this session's keyring, as the app itself would have.

    Raises KeyringMissing, KeyringLocked. Only for a private session bus.
    """
    from app.session.os_keyring import write_secret

    packed = base64.b64encode(MASTER.secret).decode("ascii")
    write_secret(f"database key {INSTANCE}", packed)


def ready(messages: int = MESSAGES, conversations: int = CONVERSATIONS) -> Path:
    """Return the data set kept in out/bench-data, built when it is not there or out of date."""
    target = KEPT / f"{messages}-{conversations}-{key()}"
    if not (target / "READY").exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{messages}-{conversations}-*"):
            shutil.rmtree(old)
        print(f"Building the data set of {messages:,} messages, once: minutes.", flush=True)
        build(target, messages, conversations)
    return target


def working_copy(folder: Path) -> Path:
    """Return this run's copy of the data set below `folder`, made at the first call.

    It is on the disk when this returns: no write of it disturbs what is measured next.
    """
    target = folder / "client"
    if not target.exists():
        given = os.environ.get(GIVEN_VARIABLE)
        shutil.copytree(Path(given) if given else ready(), target)
        os.sync()
    return target


def drop_working_copy(folder: Path) -> None:
    """Remove this run's copy, so that whoever comes next gets a fresh one."""
    shutil.rmtree(folder / "client", ignore_errors=True)


def build(target: Path, messages: int, conversations: int) -> None:
    """Build a data set in a folder that is not there yet."""
    root = target.with_name(f"{target.name}.part")
    shutil.rmtree(root, ignore_errors=True)
    bank = Bank(messages, conversations, time.time_ns() // 1_000_000, SEED)
    try:
        asyncio.run(_fill(root, bank))
        _choose_big_conversation(root)
        (root / "READY").write_text(_how_to_open(bank), encoding="utf-8")
        root.rename(target)
    finally:
        shutil.rmtree(root, ignore_errors=True)


async def _fill(root: Path, bank: Bank) -> None:
    data = folders(root).data_dir
    data.mkdir(parents=True, mode=0o700)
    (data / INSTANCE_FILE).write_text(INSTANCE, encoding="ascii")
    await _sync_sample(root)
    store = await open_store(root)
    try:
        await store.cache.apply_answers(contacts=bank.contacts())
        stream = bank.messages()
        while batch := list(itertools.islice(stream, _MESSAGES_PER_COMMIT)):
            await store.cache.apply_answers(messages=batch)
        await store.cache.apply_answers(conversations=bank.conversations())
        for chat in bank.chats[1 : 1 + DRAFTS]:
            words = f"What I wanted to say to {chat.people[0][1].name}: "
            draft = Draft(chat.conversation_id, words, saved_at_utc_ms=bank.now_utc_ms)
            await store.drafts.save(draft)
        me = await store.cache.get_meta(META_ME)
        signed_in = None if me is None else msgspec.json.decode(me, type=Me)
        big = ConversationId(BIG_CONVERSATION)
        await store.frames.keep(big, signed_in, bank.now_utc_ms)
    finally:
        await store.close()


async def _sync_sample(root: Path) -> None:
    """Let the app start its backend in this folder and take the sample workspace in."""
    core = make_core(root)
    await core.open()
    try:
        await core.connect()

        async def look() -> bool:
            return core.status.link is Link.ONLINE and not core.status.syncing

        await eventually(look, "the sample workspace to be synced", timeout_s=_SYNCED_WITHIN_S)

        async def knows_policy() -> bool:
            return core.desk.engine is not None

        await eventually(knows_policy, "the policy bundle", timeout_s=_SYNCED_WITHIN_S)
    finally:
        await core.close()


def _choose_big_conversation(root: Path) -> None:
    """Let the big conversation be the one that was open last."""
    config = folders(root).config_dir
    config.mkdir(parents=True, exist_ok=True)
    (config / "window.ini").write_text(
        f"[General]\nconversation={BIG_CONVERSATION}\n", encoding="utf-8"
    )


def _how_to_open(bank: Bank) -> str:
    told = {
        "master_key_hex": MASTER.secret.hex(),
        "instance": INSTANCE,
        "cache_key_hex": MASTER.derive("cache").hex(),
        "outbox_key_hex": MASTER.derive("outbox").hex(),
        "big_conversation": BIG_CONVERSATION,
        "conversations": [chat.conversation_id for chat in bank.chats[:20]],
        "messages": sum(chat.made for chat in bank.chats),
        "key": key(),
        "built_at_utc_ms": bank.now_utc_ms,
        "open": "copy the folder; tests.benchmarks.dataset.open_store(copy) or make_core(copy);"
        " with the window: put_key_in_keyring() on a private bus, then ui --data-dir copy",
    }
    return json.dumps(told, indent=1) + "\n"


def key(modules: Sequence[ModuleType] = _SOURCES) -> str:
    """Return what changes when these modules or the seed do: by default all that make the set."""
    digest = hashlib.sha256(str(SEED).encode())
    for module in modules:
        digest.update(Path(module.__file__ or "").read_bytes())
    return digest.hexdigest()[:12]


def main(arguments: list[str]) -> int:
    """Build what the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.dataset")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--out", type=Path, help="a folder that is not there yet")
    chosen = parser.parse_args(arguments)
    began = time.perf_counter()
    if chosen.out is None:
        print(ready(chosen.messages, chosen.conversations))
    elif chosen.out.exists():
        parser.error(f"{chosen.out} is there already")
    else:
        build(chosen.out.absolute(), chosen.messages, chosen.conversations)
    print(f"{time.perf_counter() - began:.0f} s, {os.cpu_count()} cores", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
