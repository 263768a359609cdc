"""An import is read here, brought to the backend once it is asked for, confirmed and followed.

They never use a network beyond loopback, and no export of a real person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.domain.clock import SystemClock
from app.domain.errors import Conflict, Refused
from app.domain.imports import Imported, Person, ReadAs, Unfinished, Who
from app.import_desk import ImportDesk
from app.imports import uploading
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract.ids import ContactId, ConversationId
from contract.import_wire import ImportPerson, ImportPhase, Standing
from contract.imports.day_order import DayOrder
from contract.wire import SnapshotPage
from tests.app.conftest import open_store
from tests.app.imports.files import telegram_json, whatsapp_zip
from tests.app.imports.wire_world import IMPORT_ID, ImportWorld
from tests.app.small_backend import contact
from tests.backend_client.loopback_server import LoopbackServer

CAMILLE = Person(Who.CLIENT, ContactId("p0"), "Client 0")
PEOPLE = {
    "Camille": CAMILLE,
    "Elena": Person(Who.ME, name="Ada"),
    "Tonton Marc": Person(Who.UNIDENTIFIED),
}
READ_AS = ReadAs("Europe/Paris", DayOrder.DAY_FIRST)


@pytest.fixture
def world() -> Iterator[ImportWorld]:
    """Serve the wire of imports on loopback."""
    made = ImportWorld()
    with LoopbackServer(made.app) as running:
        made.port = running.port
        yield made
        made.closing = True


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "_FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(uploading, "PIECE_BYTES", 64)
    monkeypatch.setattr("app.imports.line._LOOK_EVERY_S", 0.01)


@asynccontextmanager
async def _desk(world: ImportWorld, folder: Path) -> AsyncIterator[tuple[ImportDesk, Store]]:
    store = await open_store(folder)
    endpoint = BackendEndpoint(url=f"http://127.0.0.1:{world.port}", token="secret")
    transport = Transport(endpoint, client_version="0.1.0", answer_timeout_s=60.0)
    try:
        yield ImportDesk(GovernedApi(transport), store, SystemClock(), lambda: world.me), store
    finally:
        await transport.close()
        await store.close()


def _page(world: ImportWorld) -> SnapshotPage:
    return SnapshotPage(
        seq=1,
        next_cursor="",
        total_messages=0,
        total_conversations=1,
        contacts=tuple(world.contacts),
        conversations=tuple(world.conversations),
    )


async def _begun(desk: ImportDesk, path: Path, chat_key: str = "Camille") -> Unfinished:
    export = await desk.read(path, READ_AS, lambda _: None)
    return Unfinished(path, export.sha256, chat_key, PEOPLE, READ_AS)


async def test_nothing_leaves_before_the_preview_and_then_the_whole_file_does(
    world: ImportWorld, tmp_path: Path
) -> None:
    path, told = whatsapp_zip(tmp_path), list[float]()
    async with _desk(world, tmp_path) as (desk, _store):
        export = await desk.read(path, READ_AS, told.append)
        await asyncio.sleep(0)
        assert world.files == {} and told
        begun = await _begun(desk, path)
        staged = await desk.stage(export, begun, told.append)
        assert (staged.import_id, staged.new, staged.known) == (IMPORT_ID, 5, 2)
        assert staged.notes == ("A note.",)
        assert world.original() == path.read_bytes()
        (asked,) = world.staged
        assert asked.sha256 == export.sha256 and asked.time_zone == "Europe/Paris"
        assert asked.day_order is DayOrder.DAY_FIRST
        assert asked.people == (
            ImportPerson(name="Camille", standing=Standing.CONTACT, contact_id=ContactId("p0")),
            ImportPerson(name="Elena", standing=Standing.ME),
        )
        assert world.confirmed == []


async def test_a_confirmed_import_is_followed_until_its_conversation_is_here(
    world: ImportWorld, tmp_path: Path
) -> None:
    path = whatsapp_zip(tmp_path)
    async with _desk(world, tmp_path) as (desk, store):
        export = await desk.read(path, READ_AS, lambda _: None)
        begun = await _begun(desk, path)
        staged = await desk.stage(export, begun, lambda _: None)
        begun = replace(begun, import_id=staged.import_id, new=staged.new, confirmed=True)
        await desk.keep(begun)
        await store.cache.apply_snapshot_page(_page(world), first=True)
        end = await desk.confirm(begun, lambda _: None)
        assert world.confirmed == [5]
        assert end == Imported(
            new=5,
            known=2,
            unidentified=1,
            files=1,
            conversation_id=ConversationId("c0"),
            notes=("A note.",),
        )
        assert await desk.kept() is None
        # A second wish, after a restart: what is done stays done.
        await desk.confirm(begun, lambda _: None)
        assert world.confirmed == [5]


async def test_figures_that_hold_no_more_are_a_conflict_and_can_be_read_anew(
    world: ImportWorld, tmp_path: Path
) -> None:
    path = whatsapp_zip(tmp_path)
    async with _desk(world, tmp_path) as (desk, _store):
        export = await desk.read(path, READ_AS, lambda _: None)
        begun = await _begun(desk, path)
        staged = await desk.stage(export, begun, lambda _: None)
        begun = replace(begun, import_id=staged.import_id, new=staged.new)
        world.moved = True
        with pytest.raises(Conflict):
            await desk.confirm(begun, lambda _: None)
        again = await desk.stage(export, begun, lambda _: None)
        assert again == staged and len(world.staged) == 1


async def test_a_refusal_of_the_backend_says_why(world: ImportWorld, tmp_path: Path) -> None:
    world.steps = [ImportPhase.READING, ImportPhase.REFUSED]
    path = whatsapp_zip(tmp_path)
    async with _desk(world, tmp_path) as (desk, _store):
        export = await desk.read(path, READ_AS, lambda _: None)
        with pytest.raises(Refused, match="None of your clients"):
            await desk.stage(export, await _begun(desk, path), lambda _: None)


async def test_of_several_chats_the_chosen_one_alone_is_uploaded(
    world: ImportWorld, tmp_path: Path
) -> None:
    path = telegram_json(tmp_path)
    async with _desk(world, tmp_path) as (desk, _store):
        export = await desk.read(path, READ_AS, lambda _: None)
        await desk.stage(export, await _begun(desk, path, "7"), lambda _: None)
        assert b"Camille Roux" in world.original() and b"Mamma" not in world.original()
        assert world.staged[0].sha256 != export.sha256


async def test_an_upload_goes_on_after_a_restart(world: ImportWorld, tmp_path: Path) -> None:
    path = whatsapp_zip(tmp_path)
    async with _desk(world, tmp_path) as (desk, _store):
        export = await desk.read(path, READ_AS, lambda _: None)
        begun, half = await _begun(desk, path), asyncio.Event()
        work = asyncio.create_task(
            desk.stage(export, begun, lambda told: half.set() if told > 0.3 else None)
        )
        await half.wait()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert world.staged == [] and 0 < len(world.original()) < path.stat().st_size
    async with _desk(world, tmp_path) as (desk, _store):
        kept = await desk.kept()
        assert kept is not None and kept.people == PEOPLE and kept.read_as == READ_AS
        await desk.stage(export, kept, lambda _: None)
        assert len(world.files) == 1 and world.original() == path.read_bytes()


async def test_what_was_discarded_is_forgotten_on_both_sides(
    world: ImportWorld, tmp_path: Path
) -> None:
    path = whatsapp_zip(tmp_path)
    async with _desk(world, tmp_path) as (desk, _store):
        export = await desk.read(path, READ_AS, lambda _: None)
        begun = await _begun(desk, path)
        staged = await desk.stage(export, begun, lambda _: None)
        begun = replace(begun, import_id=staged.import_id)
        await desk.keep(begun)
        await desk.discard(begun)
        assert world.forgotten == 1 and await desk.kept() is None
        await desk.discard(begun)  # it is gone already: that is no fault
        await desk.stage(export, begun, lambda _: None)
        assert len(world.staged) == 2


async def test_the_own_book_and_name_are_what_likenesses_are_looked_for_in(
    world: ImportWorld, tmp_path: Path
) -> None:
    world.contacts = [msgspec.structs.replace(contact(0), display_name="Camille Roux")]
    async with _desk(world, tmp_path) as (desk, store):
        await store.cache.apply_snapshot_page(_page(world), first=True)
        export = await desk.read(whatsapp_zip(tmp_path), READ_AS, lambda _: None)
        found = await desk.suggestions(export.chats[0])
        assert list(found) == ["Camille"] and desk.my_name() == "Ada"
        assert desk.usual_zone() == "Europe/Zurich" and "Asia/Tokyo" in await desk.zones()
