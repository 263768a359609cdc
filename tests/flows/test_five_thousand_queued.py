"""Five thousand messages written without a line drain once, in order, while many are taken back.

It never lets the app rest: that is killed once in between, and the line broken once. More than
half are cancelled on the way, whose texts must stand in drafts. Deliveries are paused by a fault
of each channel account: what is shown here ends at the archive, and the thousand-messages flow
goes on from there.

By hand, with other figures: PARLEY_QUEUE_MESSAGES=1000 pytest tests/flows -k queued -s
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.child import Child, Line
from tests.support.queue_driver import MENDED
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import (
    SECRET,
    ServedBackend,
    archived_submissions,
    verify_archive,
)
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

_LOG = logging.getLogger(__name__)

MESSAGES = int(os.environ.get("PARLEY_QUEUE_MESSAGES", "5000"))
CONVERSATIONS = 50
TIMEOUT_S = 120.0 + 0.3 * MESSAGES
# A number of several employees: who writes there unknown waits until somebody takes them over.
POOLED = "acc-line"
# Every idempotency class of the sample workspace's accounts, with the addresses they take.
ACCOUNTS = (
    (POOLED, "user_id"),
    ("acc-wa", "phone"),
    ("acc-signal", "uuid"),
    ("acc-matrix", "mxid"),
    ("acc-telegram", "user_id"),
)
TITLES = [f"Queue Client {number:02}" for number in range(CONVERSATIONS)]


class Expected:
    """What must end in the archive, by conversation, as the person changes their mind."""

    def __init__(self) -> None:
        each = MESSAGES // CONVERSATIONS
        self.texts = {title: [f"{title}, message {k:04}" for k in range(each)] for title in TITLES}

    def plan(self) -> list[dict[str, str]]:
        """Return all texts as written: by turns, so that every lane is long."""
        by_turns = zip(*self.texts.values(), strict=True)
        return [{"title": text.split(",")[0], "text": text} for turn in by_turns for text in turn]

    def mended(self, title: str, text: str, again: bool) -> None:
        """A text was taken back, and sent anew at the end with `again`."""
        self.texts[title].remove(text)
        if again:
            self.texts[title].append(text + MENDED)

    def cancelled(self, title: str, draft: str) -> None:
        """What stands in the draft must be the end of what was written, in order."""
        left = draft.split("\n\n") if draft else []
        kept = len(self.texts[title]) - len(left)
        assert self.texts[title][kept:] == left
        self.texts[title] = self.texts[title][:kept]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[ServedBackend]:
    with ServedBackend(tmp_path / "backend") as served:
        face = SandboxFace(f"http://127.0.0.1:{served.port}", SECRET)
        for number, title in enumerate(TITLES):
            account, kind = ACCOUNTS[number % len(ACCOUNTS)]
            face.stranger_says(account, f"queue-{number:03}", title, "Hello", id_type=kind)
        pooled = [account for account, _ in ACCOUNTS].index(POOLED)
        face.claim_strangers(TITLES[pooled :: len(ACCOUNTS)])
        for account, _ in ACCOUNTS:
            face.ask_fault(kind="account_fault", count=1, account_id=account)
        yield served


class App:
    """The app's process, started again after its kill."""

    def __init__(self, root: Path, port: int) -> None:
        self._orders = {"root": str(root), "url": f"http://127.0.0.1:{port}", "token": SECRET}
        self._deadline_s = time.monotonic() + TIMEOUT_S - 20
        self.child = self._start()

    def kill(self) -> None:
        """Kill it and start it anew over the same files."""
        self.child.kill()
        self.child = self._start()

    def ask(self, do: str, answer: str, **fields: object) -> Line:
        """Have it carry out one wish; return its answer."""
        already = len(self.child.told(answer))
        self.child.say({"do": do, **fields})
        return self.child.expect(answer, after=already, timeout_s=self.left_s())

    def wait_until(self, waiting: int) -> None:
        """Wait until at most so many messages wait."""

        def look() -> bool:
            assert self.child.alive, self.child.errors[-3000:]
            told = self.child.told("progress")
            return bool(told) and told[-1]["waiting"] <= waiting

        until(look, f"at most {waiting} waiting", timeout_s=self.left_s())

    def left_s(self) -> float:
        """Return how long there is still time."""
        return max(1.0, self._deadline_s - time.monotonic())

    def _start(self) -> Child:
        child = Child("tests.support.queue_driver", self._orders)
        child.say({"do": "meet", "count": CONVERSATIONS})
        child.expect("met", timeout_s=self.left_s())
        return child


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT_S)
def test_five_thousand_queued_messages_drain_once_and_in_order(
    backend: ServedBackend, tmp_path: Path
) -> None:
    expected = Expected()
    with TcpProxy(backend.port) as line:
        app = App(tmp_path / "app", line.port)
        try:
            line.cut()
            queued = app.ask("queue", "queued", plan=expected.plan())
            began_s = time.monotonic()
            line.restore()
            drain(app, line, expected)
            took_s = time.monotonic() - began_s
            report = app.ask("report", "report")
            app.child.hang_up()
            assert app.child.wait() == 0, app.child.errors[-3000:]
        finally:
            app.child.kill()
    _LOG.info("queued in %.1f s, drained in %.1f s", queued["took_s"], took_s)
    check_app(expected, report)
    backend.stop()
    assert verify_archive(backend.data_dir)["ok"]
    archived: dict[str, list[str]] = {title: [] for title in TITLES}
    for entry in archived_submissions(backend.data_dir):
        if (title := entry.text.split(",")[0]) in archived:  # the sample's history is there, too
            archived[title].append(entry.text)
    assert archived == expected.texts, "exactly once and in order"


def drain(app: App, line: TcpProxy, expected: Expected) -> None:
    """Wait for the queue's end; change minds, kill the app, break the line on the way."""
    app.wait_until(MESSAGES * 95 // 100)
    change_minds(app, expected, TITLES[20:35])
    app.wait_until(MESSAGES * 60 // 100)
    app.kill()
    change_minds(app, expected, TITLES[35:])
    app.wait_until(MESSAGES * 20 // 100)
    line.cut()
    until(lambda: app.child.told("progress")[-1]["link"] == "offline", "the broken line")
    line.restore()
    app.wait_until(0)


def change_minds(app: App, expected: Expected, titles: list[str]) -> None:
    """Cancel and edit single messages near the end, then all that waits for some clients."""
    for title, text, again in app.ask("mend", "mended", count=40)["done"]:
        expected.mended(title, text, again)
    for title in titles:
        expected.cancelled(title, app.ask("cancel", "cancelled", title=title)["draft"])


def check_app(expected: Expected, report: Line) -> None:
    """Each text once in its timeline, in order, its receipt verified; nothing is left over."""
    assert report["left"] == 0 and report["alarm"] is False
    for title, texts in expected.texts.items():
        rows = report["shown"][title]
        assert [text for text, _, _ in rows] == texts
        assert all(verified for _, verified, _ in rows), "every receipt was verified"
