"""Every call is signed in, versioned, traced and bounded, and every fault is a problem document.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import httpx
import msgspec
import pytest

from backend.api.auth import SecretAuthenticator
from backend.api.operations import OPERATIONS
from backend.inbox.messages import set_delivery_state
from contract.ids import EmployeeId
from contract.policy.bundle import Side, compile_bundle
from contract.policy.manifest import unpack_bundle
from contract.states import DeliveryState
from contract.wire import ArchiveProbe, CapabilitiesDocument, Message
from tests.backend.workspace import (
    AUDITOR,
    ELENA,
    POLICY,
    Workspace,
    client_of,
    draft,
    submit,
)
from tests.support.log_guard import LogGuard


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem."""
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    return answer.status_code, answer.json()["code"]


async def test_nothing_but_the_public_answers_without_a_token(workspace: Workspace) -> None:
    async with client_of(workspace, None) as nobody:
        for operation in OPERATIONS:
            if operation.path == "/v1/events":
                continue
            path = operation.path.replace("{", "").replace("}", "")
            answer = await nobody.request(operation.method, path)
            if operation.public:
                assert answer.status_code == 200
            else:
                assert code_of(answer) == (401, "unauthenticated")
                assert answer.headers["www-authenticate"] == "Bearer"
        for token in ("Bearer x", "Basic token-elena", "Bearer", "token-elena"):
            answer = await nobody.get("/v1/me", headers={"Authorization": token})
            assert code_of(answer) == (401, "unauthenticated")


async def test_expired_token_is_refused(workspace: Workspace, client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/me")).json()["employee_id"] == ELENA
    await workspace.services.database.write(
        lambda connection: connection.exec_driver_sql(
            "UPDATE access_tokens SET expires_at_utc_ms = 1"
        )
    )
    assert code_of(await client.get("/v1/me")) == (401, "unauthenticated")


async def test_embedded_secret_signs_its_employee_in(workspace: Workspace) -> None:
    auth = SecretAuthenticator("per-start secret", EmployeeId(ELENA))
    embedded = replace(workspace, services=replace(workspace.services, auth=auth))
    async with client_of(embedded, None) as client:
        good = await client.get("/v1/me", headers={"Authorization": "Bearer per-start secret"})
        assert good.json()["display_name"] == "Elena Marchetti"
        bad = await client.get("/v1/me", headers={"Authorization": "Bearer per-start"})
        assert code_of(bad) == (401, "unauthenticated")
        capabilities = msgspec.json.decode(
            (await client.get("/v1/capabilities")).content, type=CapabilitiesDocument
        )
    assert (capabilities.auth, capabilities.workspace) == ("secret", "sample")


async def test_client_too_old_is_told_so(client: httpx.AsyncClient) -> None:
    for version in ("0.0.9", "parley/0.0.1"):
        answer = await client.get("/v1/health", headers={"X-Parley-Client": version})
        assert code_of(answer) == (426, "client_too_old")
    # What it needs, and where that is, stands in the one document it still gets.
    answer = await client.get("/v1/capabilities", headers={"X-Parley-Client": "0.0.9"})
    assert (answer.status_code, answer.json()["min_client_version"]) == (200, "0.1.0")
    for version in ("0.1.0", "parley/0.1", "1.0.0-beta.1", "a tool of IT"):
        answer = await client.get("/v1/health", headers={"X-Parley-Client": version})
        assert answer.status_code == 200


async def test_request_id_is_echoed_or_made(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/contacts/none", headers={"X-Request-Id": "abc-1"})
    assert (answer.headers["x-request-id"], answer.json()["request_id"]) == ("abc-1", "abc-1")
    answer = await client.get("/v1/me", headers={"X-Request-Id": "with space"})
    assert len(answer.headers["x-request-id"]) == 36


async def test_unknown_address_and_method_are_problems(client: httpx.AsyncClient) -> None:
    assert code_of(await client.get("/v1/nothing")) == (404, "not_found")
    answer = await client.delete("/v1/attachments/x/upload")
    assert code_of(answer) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "PATCH", "PUT"}


async def test_body_too_large_or_unreadable_is_refused(client: httpx.AsyncClient) -> None:
    path, key = "/v1/conversations/x/typing", {"Idempotency-Key": "k"}
    answer = await client.post(path, content=b" " * 300_000, headers=key)
    assert code_of(answer) == (413, "too_large")
    for body in (b"", b"{", b"\xff", b"[]", b'{"typing":1}', b'{"typing":true,"x":1}'):
        assert code_of(await client.post(path, content=body, headers=key)) == (400, "bad_request")


async def test_unexpected_fault_is_logged_without_content(
    workspace: Workspace, client: httpx.AsyncClient, expect_log: LogGuard
) -> None:
    def broken() -> tuple[str, ...]:
        raise KeyError("canary text of a message")

    expect_log(r"^request r-7 failed: KeyError at broken:\d+ < ", logger="parley.backend.api")
    odd = replace(workspace, services=replace(workspace.services, health_problems=broken))
    async with client_of(odd) as failing:
        answer = await failing.get("/v1/health", headers={"X-Request-Id": "r-7"})
    assert code_of(answer) == (500, "internal")
    assert "canary" not in answer.text


async def test_degraded_health_names_its_problems(workspace: Workspace) -> None:
    services = replace(workspace.services, health_problems=lambda: ("delivery stopped",))
    async with client_of(replace(workspace, services=services)) as client:
        answer = (await client.get("/v1/health")).json()
    assert (answer["status"], answer["problems"]) == ("degraded", ["delivery stopped"])


async def test_policy_bundle_compiles_on_the_client_and_has_an_etag(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/policy/bundle")
    compiled = compile_bundle(unpack_bundle(answer.content), Side.CLIENT)
    assert compiled.hash == POLICY.client.hash
    etag = answer.headers["etag"]
    for asked in (etag, f'"other", W/{etag}'):
        again = await client.get("/v1/policy/bundle", headers={"If-None-Match": asked})
        assert (again.status_code, again.content) == (304, b"")


async def test_archive_probe_writes_and_reads_back(workspace: Workspace) -> None:
    async with client_of(workspace, AUDITOR) as client:
        answers = [
            await client.post("/v1/diagnostics/archive", headers={"Idempotency-Key": "probe-1"})
            for _ in range(2)
        ]
    first, again = (msgspec.json.decode(one.content, type=ArchiveProbe) for one in answers)
    assert first == again
    assert first.entries == first.archive.index + 1


async def test_typing_reaches_the_channel_of_a_member_only(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Hi"))
    headers = {"Idempotency-Key": "t"}
    for path, status in ((chat, 200), ("other", 404)):
        answer = await client.post(
            f"/v1/conversations/{path}/typing", json={"typing": True}, headers=headers
        )
        assert answer.status_code == status
    assert workspace.typing == [(chat, ELENA, True)]


@pytest.mark.parametrize(
    ("action", "state", "job", "detail"),
    [
        ("send_again", DeliveryState.QUEUED, "ready", ""),
        ("treat_as_delivered", DeliveryState.ACCEPTED, "done", "confirmed by employee"),
        ("give_up", DeliveryState.FAILED, "done", "given up by employee"),
    ],
)
async def test_employee_decides_on_an_unknown_delivery(
    workspace: Workspace,
    client: httpx.AsyncClient,
    action: str,
    state: DeliveryState,
    job: str,
    detail: str,
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Hi"))
    command = draft("Hello")
    await submit(client, chat, command)
    path = f"/v1/messages/{command.message_id}/resolve"

    async def resolve(key: str, word: str = action) -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return await client.post(path, json={"action": word}, headers=headers)

    assert code_of(await resolve("r-0")) == (409, "conflict")
    for step in (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN):
        await workspace.services.database.write(
            partial(
                set_delivery_state,
                message_id=command.message_id,
                state=step,
                at_utc_ms=workspace.clock(),
            )
        )
    assert code_of(await resolve("r-1", "shrug")) == (400, "bad_request")
    answers = [await resolve("r-2") for _ in range(2)]
    assert answers[0].content == answers[1].content
    message = msgspec.json.decode(answers[0].content, type=Message)
    assert (message.state, message.state_detail) == (state, detail)
    assert await workspace.scalar("SELECT state FROM jobs") == job
    overrides = "SELECT count(*) FROM archive_entries WHERE kind = 'override'"
    assert await workspace.scalar(overrides) == 1
