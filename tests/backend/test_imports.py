"""An exported chat comes in once, whole, read-only, and its original is Compliance's alone.

It never fakes a part: API, database, blobs and archive are real, the work is the runner's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from sqlalchemy import Connection, insert, update

from backend.api.auth import token_hash
from backend.archive.blob_audit import audit_files
from backend.archive.imports import audit_imports
from backend.archive.projection_audit import audit_messages
from backend.archive.tree_audit import Fault
from backend.imports.audit import audit_originals
from backend.imports.desk import ImportWork
from backend.imports.rows import next_import
from backend.imports.runner import ImportRunner
from backend.storage import tables
from backend.storage.import_tables import imports
from contract.import_wire import (
    ConfirmImport,
    ImportPerson,
    ImportPhase,
    ImportStatus,
    StageImport,
    Standing,
)
from contract.imports.model import Source
from contract.wire import ConversationPage, CreateAttachment, MessagePage
from tests.backend.workspace import FIRM, Workspace, client_of, draft, submit
from tests.support.log_guard import LogGuard

COMPLIANCE = "emp-compliance"
CHAT = """[14/02/2026, 09:01:02] Camille: Bonjour Elena
[14/02/2026, 09:02:00] Elena: Good morning, see below
\u200e[14/02/2026, 09:03:00] Elena: \u200e<attached: 00000003-PHOTO-2026.jpg>
[15/02/2026, 10:00:00] Tonton Marc: Salut
[15/02/2026, 10:00:00] Tonton Marc: Salut
[31/07/2026, 10:05:00] Camille: À demain
"""
LATER = "[01/08/2026, 08:00:00] Camille: Merci\n"
MY_FILE = "WhatsApp Chat - Camille.zip"


def export(text: str = CHAT) -> bytes:
    """Return the archive an iPhone makes of the chat."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("_chat.txt"), text)
        archive.writestr(zipfile.ZipInfo("00000003-PHOTO-2026.jpg"), b"\xff\xd8\xff photo")
        archive.writestr(zipfile.ZipInfo("../../etc/passwd"), b"not ours")
    return made.getvalue()


PEOPLE = (
    ImportPerson(name="Camille", standing=Standing.NEW_CONTACT, display_name="Camille Roux"),
    ImportPerson(name="Elena", standing=Standing.ME),
)


class Importer:
    """Does what a client does, and works as the runner does."""

    def __init__(self, workspace: Workspace, client: httpx.AsyncClient) -> None:
        self.workspace = workspace
        self.client = client
        self._keys = 0
        services = workspace.services
        self.work = ImportWork(services.database, services.blobs, services.now_utc_ms)

    async def post(self, path: str, body: msgspec.Struct) -> httpx.Response:
        """Send a command under a key of its own."""
        self._keys += 1
        return await self.client.post(
            path,
            content=msgspec.json.encode(body),
            headers={"Idempotency-Key": f"test-{self._keys}"},
        )

    async def uploaded(self, content: bytes, name: str = MY_FILE) -> str:
        """Upload a file; returns its id."""
        digest = hashlib.sha256(content).hexdigest()
        made = await self.post(
            "/v1/imports/files",
            CreateAttachment(
                name=name,
                media_type="application/zip",
                size_bytes=len(content),
                sha256=digest,
            ),
        )
        assert made.status_code == 201, made.text
        attachment_id = str(made.json()["attachment_id"])
        sent = await self.client.patch(
            f"/v1/attachments/{attachment_id}/upload",
            content=content,
            headers={"Upload-Offset": "0"},
        )
        assert sent.json()["complete"], sent.text
        return attachment_id

    async def staged(
        self, content: bytes, *, name: str = MY_FILE, **fields: object
    ) -> ImportStatus:
        """Upload, stage and read a file; returns the preview or the refusal."""
        attachment_id = await self.uploaded(content, name)
        known: dict[str, object] = {
            "attachment_id": attachment_id,
            "sha256": hashlib.sha256(content).hexdigest(),
            "source": Source.WHATSAPP_TEXT,
            "people": PEOPLE,
            "time_zone": "Europe/Paris",
        }
        answer = await self.post("/v1/imports", msgspec.convert(known | fields, StageImport))
        assert answer.status_code == 202, answer.text
        await self.worked()
        return await self.status(answer.json()["import_id"])

    async def worked(self) -> None:
        """Do all the work there is."""
        while known := await self.workspace.services.database.read(next_import):
            await asyncio.to_thread(self.work.advance, known.import_id)

    async def status(self, import_id: str) -> ImportStatus:
        """Return how far an import is."""
        answer = await self.client.get(f"/v1/imports/{import_id}")
        return msgspec.json.decode(answer.content, type=ImportStatus)

    async def imported(self, content: bytes, **fields: object) -> ImportStatus:
        """Import a file from upload to report."""
        ready = await self.staged(content, **fields)  # type: ignore[arg-type]  # names and fields
        assert ready.phase is ImportPhase.READY, ready.problem
        answer = await self.confirmed(ready)
        assert answer.status_code == 200, answer.text
        await self.worked()
        return await self.status(ready.import_id)

    async def confirmed(self, ready: ImportStatus) -> httpx.Response:
        """Confirm a preview."""
        return await self.post(
            f"/v1/imports/{ready.import_id}/confirm", ConfirmImport(expected_new=ready.new)
        )


@pytest.fixture
async def importer(workspace: Workspace, client: httpx.AsyncClient) -> Importer:
    """Return Elena's importer."""

    def office(connection: Connection) -> None:
        connection.execute(
            insert(tables.employees).values(
                employee_id=COMPLIANCE,
                firm_id=FIRM,
                display_name="Cora Compliance",
                initials="CC",
                roles='["compliance"]',
            )
        )
        connection.execute(
            insert(tables.access_tokens).values(
                token_hash=token_hash("token-cora"), firm_id=FIRM, employee_id=COMPLIANCE
            )
        )

    await workspace.services.database.write(office)
    return Importer(workspace, client)


@pytest.fixture
async def compliance(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client signed in as Compliance."""
    async with client_of(workspace) as opened:
        opened.headers["Authorization"] = "Bearer token-cora"
        yield opened


async def test_preview_tells_what_would_come_in_and_stores_nothing(importer: Importer) -> None:
    before = await importer.workspace.scalar("SELECT count(*) FROM contacts")
    ready = await importer.staged(export())
    assert (ready.phase, ready.new, ready.known) == (ImportPhase.READY, 6, 0)
    assert (ready.unidentified, ready.unidentified_people, ready.files) == (2, 1, 1)
    assert ready.first_utc_ms == 1771056062000  # 09:01:02 in Paris
    assert await importer.workspace.scalar("SELECT count(*) FROM messages") == 0
    assert await importer.workspace.scalar("SELECT count(*) FROM contacts") == before
    assert not ready.conversation_id


async def test_confirmed_chat_is_native_whole_and_read_only(importer: Importer) -> None:
    report = await importer.imported(export())
    assert (report.phase, report.new, report.files) == (ImportPhase.DONE, 6, 1), report.problem
    page = msgspec.json.decode(
        (await importer.client.get(f"/v1/conversations/{report.conversation_id}/messages")).content,
        type=MessagePage,
    )
    told = [(each.author_name, each.direction.value, each.text) for each in page.messages]
    assert told[::-1] == [
        ("Camille Roux", "in", "Bonjour Elena"),
        ("Elena Marchetti", "out", "Good morning, see below"),
        ("Elena Marchetti", "out", ""),
        ("Tonton Marc", "in", "Salut"),
        ("Tonton Marc", "in", "Salut"),
        ("Camille Roux", "in", "À demain"),
    ]
    assert {each.origin.value for each in page.messages} == {"imported"}
    assert all(each.place_at_utc_ms == each.occurred_at_utc_ms for each in page.messages)
    photo = page.messages[3].attachments[0]
    assert photo.name == "00000003-PHOTO-2026.jpg"
    chats = msgspec.json.decode(
        (await importer.client.get("/v1/conversations")).content, type=ConversationPage
    )
    chat = next(c for c in chats.conversations if c.conversation_id == report.conversation_id)
    assert (chat.mode.value, chat.unread_count, chat.group) == ("native", 0, True)
    assert not chat.awaiting
    refused = await submit(importer.client, report.conversation_id, draft("Hello"))
    assert refused.json()["code"] == "read_only"


async def test_importing_twice_or_longer_adds_only_what_is_new(importer: Importer) -> None:
    first = await importer.imported(export())
    again = await importer.imported(export(), name="renamed.zip")
    assert (again.new, again.known) == (0, 6)
    longer = await importer.imported(export(CHAT + LATER))
    assert (longer.new, longer.known) == (1, 6)
    assert first.conversation_id == again.conversation_id == longer.conversation_id
    assert await importer.workspace.scalar("SELECT count(*) FROM messages") == 7
    made = await importer.workspace.scalar(
        "SELECT contact_id FROM contacts WHERE display_name = 'Camille Roux'"
    )
    people = (
        msgspec.structs.replace(PEOPLE[0], standing=Standing.CONTACT, contact_id=str(made)),
        PEOPLE[1],
    )
    matched = await importer.staged(export(CHAT + LATER), people=people)
    assert (matched.new, matched.known) == (0, 7)


async def test_archive_holds_each_message_and_the_file_and_audits(importer: Importer) -> None:
    report = await importer.imported(export())
    await importer.workspace.sealing.sealed()
    services = importer.workspace.services
    assert await services.database.read(audit_imports) == 1
    assert await services.database.read(lambda c: audit_messages(c)) == 6
    assert await services.database.read(lambda c: audit_files(c, services.blobs)) == 1
    assert await services.database.read(lambda c: audit_originals(c, services.blobs)) == 1
    attachment_id = str(await importer.workspace.scalar("SELECT attachment_id FROM imports"))
    services.blobs.put(attachment_id, 0, export().replace(b"_chat", b"_CHAT"))
    with pytest.raises(Fault, match="not the file"):
        await services.database.read(lambda c: audit_originals(c, services.blobs))
    body = await importer.workspace.scalar(
        "SELECT body FROM archive_bodies b JOIN archive_entries e ON e.entry_id = b.entry_id"
        " WHERE e.kind = 'import' ORDER BY e.sequence LIMIT 1"
    )
    assert isinstance(body, bytes)
    assert report.file_sha256.encode() in body


async def test_private_chat_is_refused_as_a_whole(importer: Importer) -> None:
    people = (ImportPerson(name="Camille", standing=Standing.UNIDENTIFIED), PEOPLE[1])
    attachment_id = await importer.uploaded(export())
    answer = await importer.post(
        "/v1/imports",
        StageImport(
            attachment_id=attachment_id,  # type: ignore[arg-type]  # an id as text
            sha256=hashlib.sha256(export()).hexdigest(),
            source=Source.WHATSAPP_TEXT,
            people=people,
        ),
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await importer.workspace.scalar("SELECT count(*) FROM attachments") == 0


async def test_client_named_who_never_wrote_makes_no_chat_less_private(importer: Importer) -> None:
    people = (ImportPerson(name="Somebody else", standing=Standing.NEW_CONTACT), PEOPLE[1])
    refused = await importer.staged(export(), people=people)
    assert refused.phase is ImportPhase.REFUSED
    assert "private" in refused.problem
    assert await importer.workspace.scalar("SELECT count(*) FROM attachments") == 0
    assert await importer.workspace.scalar("SELECT count(*) FROM contacts") == 0


async def test_original_is_read_by_compliance_alone_and_archived_first(
    importer: Importer, compliance: httpx.AsyncClient
) -> None:
    ready = await importer.staged(export())
    path = f"/v1/imports/{ready.import_id}/original"
    assert (await compliance.get(path)).status_code == 404  # nothing is kept before the yes
    await importer.confirmed(ready)
    await importer.worked()
    assert (await importer.client.get(path)).status_code == 403
    attachment_id = await importer.workspace.scalar("SELECT attachment_id FROM imports")
    assert (await importer.client.get(f"/v1/attachments/{attachment_id}")).status_code == 404
    got = await compliance.get(path)
    assert (got.status_code, got.content) == (200, export())
    count = "SELECT count(*) FROM archive_entries WHERE kind = 'import_read'"
    assert await importer.workspace.scalar(count) == 1
    listed = (await compliance.get("/v1/imports")).json()["imports"]
    assert [each["import_id"] for each in listed] == [ready.import_id]


async def test_import_goes_on_after_a_restart_without_doubling(importer: Importer) -> None:
    many = "".join(
        f"[14/02/2026, 09:{n // 60:02d}:{n % 60:02d}] Camille: number {n}\n" for n in range(130)
    )
    ready = await importer.staged(export(many))
    await importer.confirmed(ready)
    services = importer.workspace.services
    dying = ImportWork(services.database, services.blobs, services.now_utc_ms)
    await asyncio.to_thread(dying.advance, ready.import_id, lambda _status: dying.stop())
    half = await importer.status(ready.import_id)
    assert (half.phase, half.done) == (ImportPhase.RECORDING, 50)
    await importer.worked()
    report = await importer.status(ready.import_id)
    assert (report.phase, report.new, report.known) == (ImportPhase.DONE, 130, 0)
    assert await importer.workspace.scalar("SELECT count(*) FROM messages") == 130


async def test_file_that_breaks_its_reading_is_refused_and_holds_up_no_other(
    importer: Importer, monkeypatch: pytest.MonkeyPatch, expect_log: LogGuard
) -> None:
    expect_log("an import could not be carried out", logger="backend.imports.runner")
    services, real = importer.workspace.services, ImportWork.advance
    broken: list[str] = []

    def advance(work: ImportWork, import_id: str) -> None:
        if not broken or import_id in broken:
            broken.append(import_id)
            raise RecursionError
        real(work, import_id)

    async def nothing() -> None:
        return

    monkeypatch.setattr(ImportWork, "advance", advance)
    monkeypatch.setattr(importer, "worked", nothing)
    first, second = await importer.staged(export()), await importer.staged(export())
    runner = ImportRunner(services.database, services.blobs, now=services.now_utc_ms)
    task = asyncio.create_task(runner.run())
    try:
        async with asyncio.timeout(60):
            while (await importer.status(second.import_id)).phase is ImportPhase.READING:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    refused = await importer.status(first.import_id)
    assert (refused.phase, len(broken)) == (ImportPhase.REFUSED, 1)
    assert "could not be read here" in refused.problem


async def test_discarded_import_leaves_no_byte(importer: Importer) -> None:
    ready = await importer.staged(export())
    gone = await importer.client.request(
        "DELETE", f"/v1/imports/{ready.import_id}", headers={"Idempotency-Key": "away"}
    )
    assert gone.status_code == 200
    assert (await importer.client.get(f"/v1/imports/{ready.import_id}")).status_code == 404
    assert await importer.workspace.scalar("SELECT count(*) FROM attachment_parts") == 0


async def test_confirmed_import_is_not_discarded(importer: Importer) -> None:
    report = await importer.imported(export())
    kept = await importer.client.request(
        "DELETE", f"/v1/imports/{report.import_id}", headers={"Idempotency-Key": "away"}
    )
    assert kept.status_code == 409


async def test_confirmation_of_other_figures_is_refused(importer: Importer) -> None:
    ready = await importer.staged(export())
    other = msgspec.structs.replace(ready, new=5)
    assert (await importer.confirmed(other)).status_code == 409


async def test_file_that_is_no_export_is_refused_with_a_sentence(importer: Importer) -> None:
    refused = await importer.staged(b"PK\x03\x04 not a zip at all")
    assert refused.phase is ImportPhase.REFUSED
    assert refused.problem.endswith((".", "makes."))


async def test_colleague_sees_nothing_of_an_import(importer: Importer) -> None:
    ready = await importer.staged(export())

    def hand_over(connection: Connection) -> None:
        connection.execute(update(imports).values(employee_id="emp-kenta"))

    await importer.workspace.services.database.write(hand_over)
    assert (await importer.client.get(f"/v1/imports/{ready.import_id}")).status_code == 404
    assert (await importer.confirmed(ready)).status_code == 404


async def test_other_matching_of_a_known_file_is_told_in_the_preview(importer: Importer) -> None:
    text = "".join(line for line in CHAT.splitlines(True) if "Tonton" not in line)
    await importer.imported(export(text))
    other = (msgspec.structs.replace(PEOPLE[0], standing=Standing.ME), PEOPLE[1])
    other = (other[0], msgspec.structs.replace(PEOPLE[1], standing=Standing.NEW_CONTACT))
    ready = await importer.staged(export(text), people=other)
    assert (ready.new, ready.known) == (4, 0)
    assert "imported before" in ready.notes[0]
