"""Memory stays flat over a day: eight hours' worth of use in minutes, on a real backend.

It never runs with the other tests: `make soak` plays it, and keeps out/soak.json for the
benchmarks. By hand, shorter: PARLEY_SOAK=1 PARLEY_SOAK_ROUNDS=16 pytest tests/soak -s
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.soak.app_driver import Day
from tests.soak.growth import Growth, fitted, kinds_that_grew, too_much
from tests.soak.samples import Sample
from tests.support.child import Child
from tests.support.client_driver import PASSPHRASE
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import SECRET, ServedBackend
from tests.support.surroundings import ROOT
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

ROUNDS = int(os.environ.get("PARLEY_SOAK_ROUNDS", "48"))
TIMEOUT_S = 1_800.0
END_TIMEOUT_S = 120.0
RESULT = ROOT / "out" / "soak.json"
LONG_HISTORY = 100

pytestmark = [
    pytest.mark.skipif(not os.environ.get("PARLEY_SOAK"), reason="played by `make soak` only"),
    pytest.mark.timeout(TIMEOUT_S + 60),
]


def test_nothing_grows_over_a_day_of_use(tmp_path: Path) -> None:
    with ServedBackend(tmp_path / "backend") as backend:
        url = f"http://127.0.0.1:{backend.port}"
        day = Day(rounds=ROUNDS, face_url=url, face_token=SECRET)
        begin(SandboxFace(url, SECRET), day)
        with TcpProxy(backend.port) as line:
            samples = play(tmp_path / "app", line, day)
    growths, kinds = judge(samples)
    print(*growths, *kinds[:15], sep="\n")
    grew = too_much(growths)
    assert not grew, "\n".join(map(str, ["grew over the day:", *grew, "most of it:", *kinds[:15]]))


def begin(face: SandboxFace, day: Day) -> None:
    """Let clients write so much that timelines have pages to scroll; take each of them over."""
    for client in range(day.clients):
        for number in range(LONG_HISTORY if client == 0 else 2):
            face.stranger_says(
                "acc-line",
                f"soak-{client:03}",
                f"Soak Client {client:03}",
                f"Earlier message {number}: please look at the paper of the {number + 1}th.",
                id_type="user_id",
            )
    face.claim_strangers([f"Soak Client {client:03}" for client in range(day.clients)])


def play(root: Path, line: TcpProxy, day: Day) -> list[Sample]:
    """Run the app through the day, breaking the line when it asks for that."""
    orders = {
        "root": str(root),
        "url": f"http://127.0.0.1:{line.port}",
        "token": SECRET,
        "passphrase": PASSPHRASE,
    }
    with Child("tests.soak.app_driver", orders, env={"QT_QPA_PLATFORM": "offscreen"}) as app:
        app.say(msgspec.to_builtins(day))
        done = {"cut": 0, "restore": 0}

        def look() -> bool:
            for wish, act in (("cut", line.cut), ("restore", line.restore)):
                if len(app.told(wish)) > done[wish]:
                    done[wish] += 1
                    act()
            return len(app.told("sample")) >= day.rounds or not app.alive

        until(look, "the day's end", timeout_s=TIMEOUT_S)
        samples = [msgspec.convert(one["sample"], Sample) for one in app.told("sample")]
        assert samples, app.errors[-6000:]
        write(samples)
        assert ended(app) and len(samples) == day.rounds, app.errors[-6000:]
    return samples


def ended(app: Child) -> bool:
    """Wait for the app's end; one that does not come has it say where it stands."""
    try:
        return app.wait(END_TIMEOUT_S) == 0
    except subprocess.TimeoutExpired:
        app.signal(signal.SIGUSR1)
        until(lambda: "most recent call first" in app.errors, "where the app stands")
        return False


def judge(samples: list[Sample]) -> tuple[list[Growth], list[Growth]]:
    """Return how each figure went, and which kinds of objects became more."""
    growths = [fitted("memory, MB", [one.pss_mb for one in samples])]
    for name in samples[0].figures:
        growths.append(fitted(name, [one.figures[name] for one in samples]))
    return growths, kinds_that_grew([one.kinds for one in samples])


def write(samples: list[Sample]) -> None:
    """Keep the result for the benchmarks and for who looks for what grew."""
    growths, kinds = judge(samples)
    memory = growths[0]
    RESULT.parent.mkdir(exist_ok=True)
    document = {
        "rounds": len(samples),
        "memory_mb": memory.end,
        "growth": memory.share,
        "figures": [str(each) for each in growths],
        "kinds": [str(each) for each in kinds],
        "samples": [{"pss_mb": one.pss_mb, **one.figures} for one in samples],
        "mapped_mb": [one.mapped_mb for one in samples],
    }
    RESULT.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
