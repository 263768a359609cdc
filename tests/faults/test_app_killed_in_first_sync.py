"""kill -9 of the app between any two commits of its first sync: it goes on where it stopped.

It does not choose its commits: the app dies at the first, the second … until a sync survives.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.support.child import Child
from tests.support.client_driver import Item, Orders
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import SECRET, ServedBackend

TITLE = "Sofia Marin"
TEXT = "written in the middle of the first sync #silent"
MOST_STEPS = 60


def play(root: Path, served: ServedBackend, die_at: int) -> Child:
    """Start the app for the first time, or again, and let it die at a commit of its start."""
    orders = Orders(
        root=str(root),
        url=f"http://127.0.0.1:{served.port}",
        token=SECRET,
        plan=(Item(TITLE, TEXT),),
        die_at=die_at,
        die_at_start=True,
        look_every_s=0.02,
    )
    app = Child("tests.support.client_driver", msgspec.to_builtins(orders))
    app.wait(120.0)
    return app


@pytest.mark.slow
def test_app_may_die_between_any_two_commits_of_its_first_sync(
    tmp_path: Path, served: ServedBackend, face: SandboxFace
) -> None:
    whole = play(tmp_path / "unharmed", served, 0).expect("settled")["shown"][TITLE]
    for n in range(1, MOST_STEPS):
        root = tmp_path / f"client-{n}"
        harmed = play(root, served, n)
        report = harmed if harmed.told("settled") else play(root, served, 0)
        shown = [text for text, _, _ in report.expect("settled")["shown"][TITLE]]
        assert shown == [text for text, _, _ in whole], harmed.told("step")
        if harmed is report:
            break
    else:
        pytest.fail(f"no sync survived {MOST_STEPS} commits")
    assert n > 3
    assert [line.text for line in face.received()] == [TEXT]
