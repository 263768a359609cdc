"""A backend whose witness is slow to start waits for it visibly, then seals and delivers.

It never fakes the witness: only the backend's patience with its first start is taken away.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.archive import embedded
from backend.archive.verify import verify_archive
from contract.states import DeliveryState
from tests.backend.delivery.harness import house
from tests.support.waiting import eventually


async def test_first_witness_that_starts_late_seals_what_waited_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "FIRST_WITNESS_WITHIN_S", 0.0)
    async with house(tmp_path) as home:
        archive = home.runtime.archive
        keys_at_first = archive.desk.keys
        assert (archive.problems, keys_at_first) == ((embedded.NO_WITNESS,), None)
        message_id = await home.submit(await home.chat("con-greta", "matrix"), "Good morning")
        await home.until_state(message_id, DeliveryState.READ)

        async def is_well() -> bool:
            return not archive.problems

        await eventually(is_well, "the archive to be well")
        assert archive.desk.keys is not None
        assert (await home.read(verify_archive)).ok
