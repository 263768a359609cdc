"""A file is inspected before its upload is complete, and the evaluator gets what was found.

They use the real application, blob store and process; no file of this computer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

import backend.inspection
from backend.governance.attachments import drop_inspection, inspected_attachments
from backend.inspection import FileInspector
from contract.inspection.apart import InspectionRequest
from contract.inspection.facts import policy_attachment
from contract.inspection.inspect import inspect_file
from contract.inspection.model import Reason
from contract.policy.model import Attachment as PolicyAttachment
from contract.policy.model import Inspection
from contract.wire import Attachment, Submitted
from tests.backend.test_uploads import announce, send, state_of
from tests.backend.workspace import Workspace, client_of, draft, open_workspace, submit
from tests.contract.inspection import samples

DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace."""
    async with open_workspace(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client signed in as Elena."""
    async with client_of(workspace) as opened:
        yield opened


async def _uploaded(client: httpx.AsyncClient, name: str, content: bytes) -> Attachment:
    answer = await announce(client, content, {"name": name, "media_type": DOCX_TYPE})
    created = state_of(answer)
    half = len(content) // 2
    await send(client, created.attachment_id, 0, content[:half])
    assert state_of(await send(client, created.attachment_id, half, content[half:])).complete
    return Attachment(
        attachment_id=created.attachment_id,
        name=name,
        media_type=DOCX_TYPE,
        size_bytes=len(content),
        sha256="00" * 32,
    )


async def _facts(workspace: Workspace, *files: Attachment) -> tuple[PolicyAttachment, ...]:
    return await workspace.services.database.read(
        lambda connection: inspected_attachments(connection, files)
    )


async def test_evaluator_gets_the_same_facts_as_on_the_client(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    content = samples.docx("Offer for Hana")
    file = await _uploaded(client, "offer.docx", content)
    (facts,) = await _facts(workspace, file)
    there = inspect_file("offer.docx", content, declared_type=DOCX_TYPE)
    assert facts == policy_attachment(there, file.sha256, file.size_bytes)
    assert (facts.text, facts.inspection) == ("Offer for Hana", Inspection.CLEAN)


async def test_files_that_can_not_be_read_are_told_so(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    content = samples.compound(["EncryptedPackage", "EncryptionInfo"])
    file = await _uploaded(client, "plan.docx", content)
    (locked,) = await _facts(workspace, file)
    assert (locked.inspection, locked.encrypted) == (Inspection.NOT_EVALUATED, True)
    await workspace.services.database.write(lambda c: drop_inspection(c, file.attachment_id))
    (unknown,) = await _facts(workspace, file)
    assert (unknown.inspection, unknown.reason) == (Inspection.NOT_EVALUATED, "not_inspected")


async def test_verdict_travels_with_the_message(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    inbound = await workspace.inbound("Please send the offer")
    conversation_id = await workspace.conversation_of(inbound)
    file = await _uploaded(client, "offer.docx", samples.docx("Offer for Hana"))
    command = draft("Here it is", clock=workspace.clock, attachment_ids=(file.attachment_id,))
    answer = await submit(client, conversation_id, command)
    assert answer.status_code in (201, 202), answer.text
    (sent,) = msgspec.json.decode(answer.content, type=Submitted).message.attachments
    assert sent.scan == "clean"


async def test_a_file_that_hangs_its_process_is_not_evaluated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend.inspection, "LONGEST_S", 0.01)
    request = InspectionRequest(name="a.docx")
    found = await FileInspector().inspect(request, lambda: [samples.docx("x")])
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, Reason.TOO_SLOW)


async def test_a_process_that_dies_over_a_file_leaves_it_not_evaluated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend.inspection, "_command", lambda: ["false"])
    request = InspectionRequest(name="a.docx")
    found = await FileInspector().inspect(request, lambda: [samples.docx("x"), bytes(9_000_000)])
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, Reason.DAMAGED)
    monkeypatch.setattr(backend.inspection, "_command", lambda: ["no-such-program-here"])
    found = await FileInspector().inspect(request, lambda: [samples.docx("x")])
    assert found.reason == Reason.NOT_INSPECTED


async def test_large_text_is_inspected_in_a_process_with_the_same_result() -> None:
    content = b"words and words " * 90_000
    pieces = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    found = await FileInspector().inspect(InspectionRequest(name="a.txt"), lambda: pieces)
    assert found == inspect_file("a.txt", content)
    assert found.truncated
