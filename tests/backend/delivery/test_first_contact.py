"""Proof that a stranger's first words bring the question to their phone, and the answer back.

It never reaches a real channel.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import select

from backend.archive.verify import verify_archive
from backend.directory.account_changes import change_account
from backend.storage.account_tables import triage_items
from backend.storage.tables import consents
from tests.backend.delivery.harness import PATIENCE_S, House, house

STRANGER: dict[str, Any] = {"id_type": "line_id", "address": "U-nobody-knows", "name": "Sofia"}


async def _says(h: House, key: str, text: str) -> None:
    await h.happens(
        "acc-line",
        {
            "type": "message",
            "dedupe_key": key,
            "at_utc_ms": 1_795_000_000_000,
            "sender": STRANGER,
            "external_id": key,
            "text": text,
        },
    )


async def test_a_strangers_first_words_bring_the_question_and_wait_for_their_owner(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        await h.write(
            lambda c: change_account(
                c, "acc-line", "admin", 1, consent_mode="opt_in", language="it"
            )
        )
        await _says(h, "s1", "Buongiorno")
        waiting = select(triage_items.c.state).where(triage_items.c.account_id == "acc-line")
        assert await h.until(lambda c: c.execute(waiting).scalar()) == "open"
        asked = select(consents.c.contact_id).where(
            consents.c.text_version == "opt_in/all/it/shipped-1"
        )
        contact_id = await h.until(lambda c: c.execute(asked).scalar())
        async with asyncio.timeout(PATIENCE_S):
            while not any("Risponda SÌ" in text for text in await h.received()):
                await asyncio.sleep(0.01)
        await _says(h, "s2", "Sì")
        said = select(consents.c.status).where(
            consents.c.contact_id == contact_id, consents.c.status == "accepted"
        )
        assert await h.until(lambda c: c.execute(said).scalar()) == "accepted"
        assert (await h.read(verify_archive)).ok
