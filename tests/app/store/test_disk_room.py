"""Tests when the store says that its disk is full, and when it stops saying so.

It never fills a disk.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import DiskFull, StoreBusy
from app.store import disk_room
from app.store.disk_room import DiskRoom


def test_a_refused_commit_is_told_once_and_only_real_room_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = True
    monkeypatch.setattr(disk_room, "is_space_short", lambda _: short)
    told: list[bool] = []
    room = DiskRoom(lambda: told.append(room.is_full))
    room.refused(tmp_path / "outbox.db", StoreBusy())
    assert told == []
    room.refused(tmp_path / "outbox.db", DiskFull())
    room.refused(tmp_path / "cache.db", DiskFull())
    room.committed()  # one that needed no new page, on a disk that is still full
    assert told == [True]
    short = False
    room.committed()
    room.committed()
    assert told == [True, False]
