"""Tests that one data folder serves one Parley at a time.

It never starts a second Parley for real.
"""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import EnvironmentFault, StoreBusy
from app.session.instance_lock import InstanceLock
from tests.support.surroundings import ROOT

_HOLD = (
    "import sys; from pathlib import Path; from app.session.instance_lock import InstanceLock;"
    "InstanceLock(Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()"
)


def test_the_second_is_told_and_may_try_again_later(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path / "new"), InstanceLock(tmp_path / "new")
    with first:
        first.acquire()
        with pytest.raises(StoreBusy):
            second.acquire()
    with second:
        pass
    second.release()


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusy):
            InstanceLock(tmp_path).acquire()
        other.kill()
        other.wait(timeout=60)
        with InstanceLock(tmp_path):
            pass


def test_a_folder_that_can_not_be_made_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EnvironmentFault):
        InstanceLock(tmp_path / "file" / "data").acquire()


@pytest.mark.skipif(sys.platform == "win32", reason="locks files in another way")
def test_a_share_without_locks_is_no_second_parley(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def without_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    with pytest.raises(EnvironmentFault, match="No locks available") as told:
        InstanceLock(tmp_path).acquire()
    assert not isinstance(told.value, StoreBusy)
