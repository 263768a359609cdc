"""Whatever a stranger sends, the API answers as its own OpenAPI document says.

It runs schemathesis, which is not ours, against a real server; the endless stream is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)
from starlette.applications import Starlette

from backend.api.app import create_app
from backend.api.openapi import openapi_document
from contract import api
from tests.backend.sealing import PATIENCE_S
from tests.backend.workspace import ELENA, TOKENS, Workspace, open_workspace
from tests.backend_client.loopback_server import LoopbackServer

REFUSALS = ["400", "401", "403", "404", "409", "410", "413", "422", "426"]
config = schemathesis.Config.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
)
document = openapi_document()
schema = schemathesis.openapi.from_dict(document, config=config).exclude(path=api.EVENTS)
EXAMPLES = 12
# Cursors, hashes and keys mean more than their schema says: 400 for a fit one is no fault.
BEYOND: list[schemathesis.CheckFunction] = [positive_data_acceptance]


@dataclass(frozen=True)
class Running:
    """A served workspace with ids that exist in it."""

    url: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve a workspace that holds one conversation."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = open_workspace(tmp_path_factory.mktemp("fuzz"))
        workspace = runner.run(stack.enter_async_context(opened))
        message_id = runner.run(workspace.inbound("Hello"))
        contact = runner.run(workspace.scalar("SELECT contact_id FROM contacts"))
        ids = {
            "message_id": message_id,
            "conversation_id": runner.run(workspace.conversation_of(message_id)),
            "contact_id": str(contact),
        }
        workspace.services.notifier.close()  # long polling answers at once then
        runner.run(workspace.sealing.pause())  # it goes on beside the server, on its loop
        try:
            with LoopbackServer(sealing_app(workspace), lifespan="on") as server:
                yield Running(server.url, ids)
        finally:
            runner.run(stack.aclose())


def sealing_app(workspace: Workspace) -> Starlette:
    """Return the application, which seals while it is served."""
    app = create_app(workspace.services)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(of: Starlette) -> AsyncIterator[None]:
        workspace.sealing.go()
        async with inner(of):
            yield
        await workspace.sealing.pause()

    app.router.lifespan_context = lifespan
    return app


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.timeout(600)
def test_api_keeps_its_document(case: schemathesis.Case[Any], running: Running) -> None:
    headers = {"Authorization": f"Bearer {TOKENS[ELENA]}"}
    if case.headers:  # what is sent in its place is no negation: the case must know
        case.headers.update(headers)
    case.call_and_validate(
        base_url=running.url, headers=headers, excluded_checks=BEYOND, timeout=PATIENCE_S
    )
    if case.path_parameters:
        # Once more with ids that exist: what was wrong about the path is right then.
        for name in case.path_parameters:
            case.path_parameters[name] = running.ids.get(name, "none")
        case.call_and_validate(
            base_url=running.url,
            headers=headers,
            excluded_checks=[*BEYOND, negative_data_rejection],
            timeout=PATIENCE_S,
        )
