"""kill -9 of the app between any two steps of a send: nothing is lost, nothing goes twice.

It does not choose its steps: it dies at the first, the second … until a send survives.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.support.child import Child
from tests.support.client_driver import Item, Orders
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import (
    SECRET,
    ServedBackend,
    archived_submissions,
    verify_archive,
)

# No key and no echo: whatever were submitted twice would be delivered twice.
TITLE = "Sofia Marin"
MOST_STEPS = 60
SAVE_DRAFT = "outbox: DraftStore.save"
TAKE_IN = "outbox: OutboxStore.clear_draft_and_add"


def text_of(n: int) -> str:
    """Return the text whose sending is interrupted at step `n`."""
    return f"step {n:02} #silent"


def play(root: Path, served: ServedBackend, n: int) -> Child:
    """Run the app until it died at step `n` of its `n`-th send, or that send has settled."""
    orders = Orders(
        root=str(root),
        url=f"http://127.0.0.1:{served.port}",
        token=SECRET,
        plan=tuple(Item(TITLE, text_of(k)) for k in range(1, n + 1)),
        die_at=n,
        save_drafts=True,
        look_every_s=0.02,
    )
    app = Child("tests.support.client_driver", msgspec.to_builtins(orders))
    app.wait(120.0)
    return app


def places_expected(steps: list[str]) -> set[str]:
    """Return where a text may be found after a death at the last of `steps`.

    A commit begun on its own thread while another step killed the process may stand or not.
    """
    if f"after {TAKE_IN}" in steps:
        return {"outbox", "timeline"}
    places = {"draft" if f"after {SAVE_DRAFT}" in steps else "absent"}
    if f"before {SAVE_DRAFT}" in steps[:-1]:
        places.add("draft")
    if f"before {TAKE_IN}" in steps[:-1]:
        places.add("outbox")
    return places


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_app_may_die_between_any_two_steps_of_a_send(
    tmp_path: Path, served: ServedBackend, face: SandboxFace
) -> None:
    steps: list[str] = []
    for n in range(1, MOST_STEPS):
        app = play(tmp_path / "client", served, n)
        if n > 1:
            found = {line["text"]: line["place"] for line in app.told("found")}
            assert found[text_of(n - 1)] in places_expected(steps), steps
            assert {found[text_of(k)] for k in range(1, n - 1)} <= {"timeline"}
        if app.told("settled"):
            break
        steps = [line["name"] for line in app.told("step")]
        assert len(steps) == n, app.errors
    else:
        pytest.fail(f"no send survived {MOST_STEPS} steps")
    texts = [text_of(k) for k in range(1, n + 1)]
    assert [line.text for line in face.received()] == texts
    assert [text for text, _, _ in app.expect("settled")["shown"][TITLE]][-n:] == texts
    served.stop()
    assert verify_archive(served.data_dir)["ok"]
    archived = [entry.text for entry in archived_submissions(served.data_dir)]
    assert [text for text in archived if text in texts] == texts
