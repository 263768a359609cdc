"""A file is inspected before its upload is complete, and the evaluator gets what was found.

They use the real application, blob store and process; no file of this computer.
"""

from __future__ import annotations

import asyncio
import hashlib

import httpx
import msgspec
import pytest

import backend.inspection
from app.hints.engine import report_of
from backend.governance.attachments import drop_inspection, inspected_attachments
from backend.inspection import FileInspector
from contract.inspection.apart import InspectionRequest
from contract.inspection.facts import policy_attachment, uninspected_attachment
from contract.inspection.inspect import inspect_file
from contract.inspection.model import Reason
from contract.policy.evaluate import evaluate
from contract.policy.facts import conversation_draft, conversation_facts
from contract.policy.model import Attachment as PolicyAttachment
from contract.policy.model import Decision, Inspection
from contract.policy.own_book import BookChat, BookPerson, book_facts
from contract.wire import Attachment, ContactPage, Conversation, Submitted
from tests.backend.archive.test_erasure import SECRET, erased, tables_with
from tests.backend.test_uploads import announce, send, state_of
from tests.backend.workspace import POLICY, Workspace, draft, submit
from tests.contract.inspection import samples

DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


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


async def test_both_sides_decide_alike_on_a_files_words(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Please send the offer"))
    content = samples.docx(f"Your card {samples.CARD}", {"word/media/i.png": bytes(90_000)})
    file = await _uploaded(client, "offer.docx", content)
    there = inspect_file("offer.docx", content, declared_type=DOCX_TYPE)
    sha256 = hashlib.sha256(content).hexdigest()
    hint = await _hint(workspace, client, chat, policy_attachment(there, sha256, len(content)))
    command = draft("Here it is", clock=workspace.clock, attachment_ids=(file.attachment_id,))
    await submit(client, chat, msgspec.structs.replace(command, hint=report_of(hint)))
    (found,) = [one for one in hint.findings if one.attachment == sha256 and one.start < one.end]
    assert there.text[found.start : found.end] == samples.CARD
    assert await workspace.scalar("SELECT drift FROM decisions") == ""


async def test_a_hint_from_before_the_inspection_is_drift_and_no_incident(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Please send the offer"))
    content = samples.docx(f"Your card {samples.CARD}")
    file = await _uploaded(client, "offer.docx", content)
    sha256 = hashlib.sha256(content).hexdigest()
    unread = uninspected_attachment("offer.docx", DOCX_TYPE, sha256, len(content))
    hint = await _hint(workspace, client, chat, unread)
    command = draft("Here it is", clock=workspace.clock, attachment_ids=(file.attachment_id,))
    await submit(client, chat, msgspec.structs.replace(command, hint=report_of(hint)))
    assert await workspace.scalar("SELECT drift FROM decisions") == "stale"


async def _hint(
    workspace: Workspace, client: httpx.AsyncClient, chat: str, facts: PolicyAttachment
) -> Decision:
    """Decide as the client does, on what the service tells it."""
    talk = msgspec.json.decode(
        (await client.get(f"/v1/conversations/{chat}")).content, type=Conversation
    )
    contacts = msgspec.json.decode(
        (await client.get("/v1/contacts")).content, type=ContactPage
    ).contacts
    people = [BookPerson(one.contact_id, one.display_name, one.organisation) for one in contacts]
    book = book_facts(people, [BookChat(each, chat) for each in talk.contact_ids])
    ground = conversation_facts(talk, contacts, workspace.clock(), book=book)
    return evaluate(
        POLICY.client, ground, conversation_draft(talk, contacts, "Here it is", [facts])
    )


async def test_an_erasure_takes_the_words_read_of_a_file(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Please send the offer"))
    file = await _uploaded(client, "offer.docx", samples.docx(f"Offer {SECRET}"))
    assert await tables_with(workspace, SECRET) == ["attachment_inspections"]
    refused = f"Please charge my credit card {samples.CARD}"
    command = draft(refused, clock=workspace.clock, attachment_ids=(file.attachment_id,))
    assert (await submit(client, chat, command)).status_code == 403
    await workspace.sealing.sealed()
    await erased(workspace, command.message_id)
    assert await tables_with(workspace, SECRET) == []


async def test_a_file_that_hangs_its_process_is_not_evaluated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend.inspection, "LONGEST_S", 0.01)
    request = InspectionRequest(name="a.docx")
    found = await FileInspector().inspect("a", request, lambda: [samples.docx("x")])
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, Reason.TOO_SLOW)


async def test_a_process_that_dies_over_a_file_leaves_it_not_evaluated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend.inspection, "_command", lambda: ["false"])
    request = InspectionRequest(name="a.docx")
    found = await FileInspector().inspect(
        "a", request, lambda: [samples.docx("x"), bytes(9_000_000)]
    )
    assert (found.verdict, found.reason) == (Inspection.NOT_EVALUATED, Reason.DAMAGED)
    monkeypatch.setattr(backend.inspection, "_command", lambda: ["no-such-program-here"])
    found = await FileInspector().inspect("a", request, lambda: [samples.docx("x")])
    assert found.reason == Reason.NOT_INSPECTED


async def test_large_text_is_inspected_in_a_process_with_the_same_result() -> None:
    content = b"words and words " * 90_000
    pieces = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    found = await FileInspector().inspect("a", InspectionRequest(name="a.txt"), lambda: pieces)
    assert found == inspect_file("a.txt", content)
    assert found.truncated


async def test_asking_again_meanwhile_gets_the_same_inspection() -> None:
    inspector, read = FileInspector(), list[int]()

    def pieces() -> list[bytes]:
        read.append(1)
        return [samples.docx("words")]

    request = InspectionRequest(name="a.docx")
    given_up = asyncio.create_task(inspector.inspect("a", request, pieces))
    asked = asyncio.create_task(inspector.inspect("a", request, pieces))
    await asyncio.sleep(0)
    given_up.cancel()
    assert (await asked).text == "words"
    assert read == [1]
