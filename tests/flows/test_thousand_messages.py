"""A thousand messages over fifty conversations, with kills of app and backend at random points.

It does not choose the points by what happens inside: a seed draws them, and the log names them.

By hand, with other figures: PARLEY_FLOW_SEED=7 PARLEY_FLOW_MESSAGES=5000 PARLEY_FLOW_KILLS=80
pytest tests/flows -s -o timeout=3600
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter, defaultdict
from pathlib import Path

import msgspec
import pytest

from app.session.keys import KeyVault
from contract.wire import IdempotencyClass
from tests.support.child import Child, Line
from tests.support.client_driver import PASSPHRASE, Item, Orders, paths_below
from tests.support.processes import children_with
from tests.support.sandbox_face import Received, SandboxFace
from tests.support.served_backend import (
    Archived,
    archived_submissions,
    attempts_without_answer,
    verify_archive,
)
from tests.support.waiting import until

_LOG = logging.getLogger(__name__)

SEED = int(os.environ.get("PARLEY_FLOW_SEED", "20261121"))
MESSAGES = int(os.environ.get("PARLEY_FLOW_MESSAGES", "1000"))
CONVERSATIONS = int(os.environ.get("PARLEY_FLOW_CONVERSATIONS", "50"))
KILLS = int(os.environ.get("PARLEY_FLOW_KILLS", "20"))
TIMEOUT_S = float(os.environ.get("PARLEY_FLOW_TIMEOUT_S", "1200"))
LONGEST_AIM_S = 0.4
# A number of several employees: who writes there unknown waits until somebody takes them over.
POOLED = "acc-line"

# Every idempotency class of the sample workspace's accounts, with the addresses they take.
ACCOUNTS = (
    (POOLED, "user_id", IdempotencyClass.SERVER_KEY),
    ("acc-wa", "phone", IdempotencyClass.CLIENT_ECHO),
    ("acc-signal", "uuid", IdempotencyClass.NONE),
    ("acc-matrix", "mxid", IdempotencyClass.SERVER_KEY),
    ("acc-telegram", "user_id", IdempotencyClass.NONE),
)


class Client:
    """One client of the flow: what the firm sends and where it must arrive, in order."""

    def __init__(self, number: int) -> None:
        self.account_id, self.id_type, self.idempotency = ACCOUNTS[number % len(ACCOUNTS)]
        self.address = f"flow-{number:03}"
        self.title = f"Flow Client {number:03}"
        self.texts = [
            f"{self.title}, message {k:04} #silent"
            for k in range(MESSAGES // CONVERSATIONS + (number < MESSAGES % CONVERSATIONS))
        ]


class Flow:
    """The app's process, started again after each kill until its plan is done."""

    def __init__(self, root: Path, clients: list[Client]) -> None:
        self._root = root
        self._deadline_s = time.monotonic() + TIMEOUT_S
        self._orders = Orders(
            root=str(root),
            plan=tuple(
                Item(client.title, client.texts[k])
                for k in range(max(len(client.texts) for client in clients))
                for client in clients
                if k < len(client.texts)
            ),
            unknown_log=str(root / "unknown.log"),
            look_every_s=0.25,
            stay=True,
        )
        self.settled = 0
        self.app = self._start()

    def _start(self) -> Child:
        return Child("tests.support.client_driver", msgspec.to_builtins(self._orders))

    def face(self) -> SandboxFace:
        """Return the sandbox of the backend that runs now."""
        endpoint = self.app.expect("endpoint")
        return SandboxFace(endpoint["url"], endpoint["token"])

    def wait_for_progress(self, settled: int) -> None:
        """Wait until so many messages have settled, or all is done."""

        def look() -> bool:
            assert self.app.alive, self.app.errors[-3000:]
            progress = [line["settled"] for line in self.app.told("progress")]
            self.settled = max([self.settled, *progress])
            return self.settled >= settled or bool(self.app.told("settled"))

        until(look, f"{settled} settled messages", timeout_s=self._left_s())

    def kill_app(self) -> None:
        """Kill the app, and start it anew."""
        self.app.kill()
        self.app = self._start()

    def kill_backend(self) -> bool:
        """Kill the app's backend; false when none runs just now."""
        for backend in children_with("backend", of=self.app.pid):
            backend.kill()
            return True
        return False

    def finish(self) -> tuple[Line, list[Received]]:
        """Wait for the end of the plan; return what app and phones show, and end the app."""
        report = self.app.expect("settled", timeout_s=self._left_s())
        received = self.face().received()
        self.app.say({})
        assert self.app.wait() == 0, self.app.errors[-3000:]
        return report, received

    def unknown(self) -> set[str]:
        """Return the messages the app has shown as unknown."""
        log = self._root / "unknown.log"
        return set(log.read_text().split()) if log.exists() else set()

    def _left_s(self) -> float:
        return max(1.0, self._deadline_s - time.monotonic())


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT_S + 10)
def test_a_thousand_messages_survive_twenty_kills(tmp_path: Path) -> None:
    clients = [Client(number) for number in range(CONVERSATIONS)]
    flow = Flow(tmp_path, clients)
    try:
        face = flow.face()
        for client in clients:
            face.stranger_says(
                client.account_id, client.address, client.title, "Hello", id_type=client.id_type
            )
        pooled = [client.title for client in clients if client.account_id == POOLED]
        face.claim_strangers(pooled)
        # A vendor that takes its time: kills then find messages between worker and vendor.
        face.ask_fault(kind="slow", seconds=0.05, count=MESSAGES)
        kill_at_random_points(flow, random.Random(SEED))
        report, received = flow.finish()
    finally:
        flow.app.kill()
    key = KeyVault().unlock_with_passphrase(paths_below(tmp_path), PASSPHRASE)
    backend_dir = tmp_path / "data" / "backend"
    audit = verify_archive(backend_dir, key.derive("backend"))
    assert audit["ok"], audit
    check_archive(clients, archived_submissions(backend_dir, key.derive("backend")))
    check_app(clients, report)
    lost = attempts_without_answer(backend_dir, key.derive("backend"))
    check_phones(clients, received, report, flow.unknown(), lost)


def kill_at_random_points(flow: Flow, chance: random.Random) -> None:
    """Kill app or backend KILLS times, each at a drawn moment after a drawn progress."""
    points = sorted(chance.randrange(MESSAGES) for _ in range(KILLS))
    killed: Counter[str] = Counter()
    for point in points:
        victim, aim_s = chance.choice(("app", "backend")), chance.uniform(0, LONGEST_AIM_S)
        flow.wait_for_progress(point)
        aimed_s = time.monotonic() + aim_s
        until(lambda at=aimed_s: time.monotonic() >= at, "the drawn moment")  # type: ignore[misc]  # mypy can't type a default in a lambda
        if victim == "app":
            flow.kill_app()
        else:
            until(flow.kill_backend, "a backend to kill")
        killed[victim] += 1
        _LOG.info(
            "killed the %s after %s settled (drawn: %s + %.3f s)",
            victim,
            flow.settled,
            point,
            aim_s,
        )
    assert KILLS < 10 or set(killed) == {"app", "backend"}


def check_archive(clients: list[Client], archived: list[Archived]) -> None:
    """Each text exactly once, in order per conversation."""
    by_title: dict[str, list[str]] = {client.title: [] for client in clients}
    for entry in archived:
        if (title := entry.text.split(",")[0]) in by_title:  # the sample's history is there, too
            by_title[title].append(entry.text)
    assert by_title == {client.title: client.texts for client in clients}


def check_app(clients: list[Client], report: Line) -> None:
    """Each text exactly once in its timeline, in order; nothing waits, nothing is unknown."""
    assert report["waiting"] == []
    for client in clients:
        rows = report["shown"][client.title]
        assert [text for text, _, _ in rows] == client.texts
        assert {state for _, state, _ in rows} <= {
            "accepted",
            "sent",
            "delivered",
            "read",
            "failed",
        }


def check_phones(
    clients: list[Client],
    received: list[Received],
    report: Line,
    unknown: set[str],
    lost: set[str],
) -> None:
    """Server key: exactly once; else at most once, the missing and unconfirmed ones shown."""
    by_address: dict[str, list[str]] = defaultdict(list)
    for line in received:
        by_address[line.address].append(line.text)
    missing = 0
    for client in clients:
        got = by_address[client.address]
        if client.idempotency is IdempotencyClass.SERVER_KEY:
            assert got == client.texts
            continue
        assert len(got) == len(set(got)), "nothing arrives twice"
        assert got == [text for text in client.texts if text in set(got)], "in order"
        for text, _, message_id in report["shown"][client.title]:
            if text not in got:
                missing += 1
                assert message_id in unknown, "what is missing was shown as unknown"
            if message_id in lost and client.idempotency is IdempotencyClass.NONE:
                assert message_id in unknown, "what nobody confirmed was shown as unknown"
    _LOG.info("%s shown as unknown, %s of them never arrived", len(unknown), missing)
    assert sum(map(len, by_address.values())) == MESSAGES - missing
