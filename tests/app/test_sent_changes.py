"""Shows that what is changed about a sent message is archived, proven here, and at the client.

It never replaces a part: a whole core runs on its embedded backend.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import PolicyDenied
from contract.states import DeliveryState
from contract.wire import Channel
from tests.app.core_world import conversation_on, row_when, running_core

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
