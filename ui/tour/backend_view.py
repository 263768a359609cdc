"""Looks at the tour from the backend's side: its messages, its archive, its sandbox clients.

It never writes anything but what a sandbox client says and what a supervisor decides.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path

from app.backend_process import backend_command
from app.core import Core
from contract.api import ARCHIVE_PROBE
from contract.ids import ContactId, ConversationId, MessageId, idempotency_key
from contract.wire import Message
from ui.tour.events import WAIT_S, StepFailed, demand

_SAY = "/v1/sandbox/clients/{contact_id}/messages"
_DECIDE = "/v1/sandbox/approvals/{approval_id}"
_COMMAND_WITHIN_S = 180
_ASK_AGAIN_S = 0.5


class BackendView:
    """One running backend, asked past the window and past the local store."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def let_client_say(self, contact_id: ContactId, text: str, channel: str) -> None:
        """Have a sandbox client write on a channel."""
        body = json.dumps({"text": text, "channel": channel}).encode()
        path = _SAY.format(contact_id=contact_id)
        headers = {"Content-Type": "application/json"}
        transport = self._core.api.transport
        reply = await transport.request("POST", path, headers=headers, body=body)
        demand(reply.status == 201, f"the sandbox client could not write ({reply.status})")

    async def decide_as_supervisor(
        self, message_id: MessageId, *, approve: bool, note: str
    ) -> None:
        """Have the sample workspace's supervisor decide on a held message."""
        body = json.dumps({"approve": approve, "note": note}).encode()
        path = _DECIDE.format(approval_id=idempotency_key(message_id, 1))
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"tour-{message_id}"}
        reply = await self._core.api.transport.request("POST", path, headers=headers, body=body)
        demand(reply.status == 200, f"the supervisor could not decide ({reply.status})")

    async def probed_entries(self) -> int:
        """Have a synthetic entry sealed; return how many entries the archive holds with it.

        Asked under one key, so that a late seal makes no second entry.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        deadline_s = time.monotonic() + WAIT_S
        while True:
            reply = await self._core.api.transport.request("POST", ARCHIVE_PROBE, headers=headers)
            if reply.status == 200:
                return int(json.loads(reply.body)["entries"])
            demand(time.monotonic() < deadline_s, f"the archive seals nothing ({reply.status})")
            await asyncio.sleep(_ASK_AGAIN_S)

    async def messages(self, conversation_id: ConversationId) -> tuple[Message, ...]:
        """Return a conversation's newest messages as the backend holds them."""
        page = await self._core.api.inbox.messages(conversation_id)
        return page.messages

    async def conversation_count(self) -> int:
        """Return how many conversations the employee has."""
        page = await self._core.api.inbox.conversations(limit=500)
        return len(page.conversations)

    async def unarchived(self) -> int:
        """Return how many messages of the employee's conversations hold no archive entry."""
        page = await self._core.api.inbox.conversations(limit=500)
        talks = page.conversations
        return sum(talk.message_count - talk.archived_count for talk in talks)

    async def archived(self, message_id: MessageId) -> Message:
        """Return a message; raises StepFailed when the archive holds no entry of it."""
        message = await self._core.api.inbox.message(message_id)
        demand(message.archive is not None, "the backend holds no archive entry of the message")
        return message


def find_in_archive(data_dir: Path, key: bytes, message_id: str) -> list[dict[str, object]]:
    """Return the archive's entries of a message from the stopped backend's database."""
    answer = _run(["archive", "find", "--message-id", message_id], data_dir, key)
    entries = json.loads(answer)
    return list(entries)


def reported_states(entries: list[dict[str, object]]) -> list[str]:
    """Return what the archived receipts of a message report, in the archive's order."""
    bodies = [entry["body"] for entry in entries if entry["kind"] == "receipt"]
    return [str(body["reported"]) for body in bodies if isinstance(body, dict)]


def verify_archive(data_dir: Path, key: bytes) -> int:
    """Have the stopped backend recompute its archive; returns the number of entries."""
    answer = json.loads(_run(["archive", "verify"], data_dir, key))
    demand(answer["ok"] is True, f"the archive does not verify: {answer['fault']}")
    return int(answer["entries"])


def _run(command: list[str], data_dir: Path, key: bytes) -> str:
    finished = subprocess.run(
        [*backend_command(), *command, "--data-dir", str(data_dir)],
        input=json.dumps({"database_key": key.hex()}) + "\n",
        capture_output=True,
        text=True,
        timeout=_COMMAND_WITHIN_S,
        check=False,
    )
    if finished.returncode != 0:
        sys.stderr.write(finished.stderr)
        raise StepFailed(f"“{' '.join(command[:2])}” ended with {finished.returncode}")
    return finished.stdout
