"""Shows that what is changed about a sent message is archived, proven here, and at the client.

It never replaces a part: a whole core runs on its embedded backend.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from app.domain.clock import SystemClock
from app.domain.errors import PolicyDenied
from app.outbox.sent_changes import SentChanges
from backend_client.errors import ProblemReply
from contract.problems import Problem, ProblemCode
from contract.states import DeliveryState
from contract.wire import Channel, Message, SubmitMessage, Submitted
from tests.app.core_world import conversation_on, row_when, running_core
from tests.app.small_backend import message

CARD = "My card is 4111 1111 1111 1111."


@pytest.mark.slow
async def test_new_words_are_proven_here_and_taking_back_leaves_the_archive(tmp_path: Path) -> None:
    async with running_core(tmp_path) as core:
        chat = await conversation_on(core, Channel.SIGNAL)
        sent = core.messaging.sent
        message_id = await core.messaging.send(chat, "Frist words, and more to come")
        await row_when(core, message_id, lambda row: row.message.state is DeliveryState.READ)
        await row_when(core, message_id, lambda row: row.verified)
        await sent.edit(message_id, "First words, and more to come")
        changed = await row_when(core, message_id, lambda row: row.message.versions_archived == 2)
        assert changed.message.text == "First words, and more to come"
        await row_when(core, message_id, lambda row: row.verified)
        with pytest.raises(PolicyDenied):
            await sent.edit(message_id, CARD)
        await sent.edit(message_id, "Second words")
        await row_when(core, message_id, lambda row: row.message.text == "Second words")
        await sent.take_back(message_id)
        gone = await row_when(core, message_id, lambda row: row.message.deleted)
        assert gone.message.versions_archived == 4


class Answers:
    """A line to a backend that another answer of was lost, and a store that knows nothing of it.

    It never stands for the backend's own rules: it answers one edit.
    """

    def __init__(self, before: Message, versions: int, used: int = 0) -> None:
        self.before = before
        self.versions = versions
        self.used = used
        self.proven: list[int] = []
        self.kept: list[Message] = []

    async def edit(self, command: SubmitMessage) -> Submitted:
        """Refuse revisions that are used up, else answer with so many versions."""
        if command.revision <= self.used:
            code = ProblemCode.IDEMPOTENCY_KEY_REUSED
            raise ProblemReply(Problem(type="t", title="Used", status=422, code=code))
        now = msgspec.structs.replace(
            self.before, text=command.text, versions_archived=self.versions
        )
        return Submitted(message=now, receipt="r", decision_hash="d")

    async def message(self, _message_id: str) -> object:
        """Return what the cache holds."""
        return SimpleNamespace(message=self.before)

    async def confirm_edit(self, command: SubmitMessage, *_: object) -> None:
        """Note whose receipt was to be proven."""
        self.proven.append(command.revision)

    async def apply_answers(self, messages: tuple[Message, ...]) -> None:
        """Keep what the cache got."""
        self.kept += messages

    def changes(self) -> SentChanges:
        """Return the changes over this line and store."""
        api: Any = SimpleNamespace(changes=self)
        store: Any = SimpleNamespace(timeline=self, cache=self)
        return SentChanges(api, store, SystemClock(), self, lambda: True)


async def test_edit_after_a_version_that_is_not_here_yet_is_no_alarm() -> None:
    before = message(1, 1)
    current, behind = Answers(before, before.versions_archived + 1), Answers(before, 9)
    for answers in (current, behind):
        await answers.changes().edit(before.message_id, "New words")
        assert [each.text for each in answers.kept] == ["New words"]
    assert (len(current.proven), behind.proven) == (1, [])


async def test_revisions_used_up_before_the_start_are_passed_over() -> None:
    before = message(1, 1)
    answers = Answers(before, before.versions_archived + 1, used=before.revision + 2)
    await answers.changes().edit(before.message_id, "New words")
    assert answers.proven == [before.revision + 3]
