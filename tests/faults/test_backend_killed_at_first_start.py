"""kill -9 of the backend between any two commits of its first start: the next start is whole.

It does not choose its commits: the backend dies at the first, the second … until one survives.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.served_backend import ServedBackend, archive_is_sound, archived_submissions

MOST_STEPS = 40


@pytest.mark.slow
def test_backend_may_die_between_any_two_commits_of_its_first_start(tmp_path: Path) -> None:
    with ServedBackend(tmp_path / "unharmed") as unharmed:
        unharmed.stop()
    whole = [entry.text for entry in archived_submissions(unharmed.data_dir)]
    assert len(whole) > 10, "the sample's history is archived"
    for n in range(1, MOST_STEPS):
        served = ServedBackend(tmp_path / f"backend-{n}")
        survived = served.start_and_die_at(n)
        if not survived:
            served.start()
        served.stop()
        assert archive_is_sound(served.data_dir), f"died at step {n}"
        assert [entry.text for entry in archived_submissions(served.data_dir)] == whole
        if survived:
            break
    else:
        pytest.fail(f"no start survived {MOST_STEPS} steps")
    assert n > 2
