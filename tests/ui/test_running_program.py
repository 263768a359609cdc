"""Tests of the program as processes: one per folder, links, autostart, the session's end.

They never use a network beyond loopback, and no keyring.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from pathlib import Path

import msgspec
import pytest

from app.domain.clock import SystemClock
from app.session.keys import MasterKey
from app.store.store import Store
from contract.ids import ConversationId, MessageId
from tests.app.store.values import fill, message
from tests.support.child import Child
from tests.support.waiting import until
from tests.support.window_driver import SECRET, Orders
from tests.ui.kit import conversation, hana
from ui.window_state import WindowState

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="IT's files and signals are Linux's here"),
]
FIRST, SECOND = ConversationId("talk-1"), ConversationId("talk-2")
IN_SECOND = MessageId("m-two")
TEXT = "Shall we speak at three? Yes."
# Windows kills a program that needs longer than 5 s at the session's end.
ENDS_WITHIN_S = 5.0


def run(folder: Path, *arguments: str, **orders: object) -> Child:
    """Start the program over `folder`."""
    words = ("--data-dir", str(folder), "--theme", "light", *arguments)
    if arguments and arguments[0].startswith("parley:"):
        words = arguments  # a link lets no option through; the folder comes by the environment
    first = msgspec.to_builtins(msgspec.convert({"arguments": words, **orders}, Orders))
    environment = {"PARLEY_DATA_DIR": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    return Child("tests.support.window_driver", first, env=environment)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a client that has run before, whose backend is away."""
    asyncio.run(_make_data(tmp_path))
    config = tmp_path / "config"
    config.mkdir(exist_ok=True)
    (config / "settings.json").write_text('{"BackendUrl": "http://127.0.0.1:9"}', "utf-8")
    WindowState(config).set_conversation(FIRST)
    return tmp_path


async def _make_data(root: Path) -> None:
    data, key = root / "data", MasterKey(SECRET)
    data.mkdir()
    store = await Store.open(data, data, key.derive("cache"), key.derive("outbox"), SystemClock())
    second = msgspec.structs.replace(conversation(2, closes_in_ms=None), title="Kenji Sato")
    texts = (message("m1", "words", at=1, home=FIRST), message(IN_SECOND, "two", at=2, home=SECOND))
    await fill(store, (conversation(closes_in_ms=None), second), texts, (hana(),))
    await store.close()


async def _draft(root: Path) -> str:
    data, key = root / "data", MasterKey(SECRET)
    store = await Store.open(data, data, key.derive("cache"), key.derive("outbox"), SystemClock())
    try:
        found = await store.drafts.get(FIRST)
    finally:
        await store.close()
    return found.text if found is not None else ""


def shows(child: Child, **wanted: object) -> bool:
    """Tell whether the window's newest word of itself holds `wanted`."""
    told = child.told("shown")
    return bool(told) and all(told[-1][key] == value for key, value in wanted.items())


def _starved_s(pid: int) -> dict[str, float]:
    """Return how long each thread wanted a processor in vain, by its number."""
    found: dict[str, float] = {}
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # it has just ended
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found


def test_a_terminated_parley_keeps_every_key_and_ends_in_time(folder: Path) -> None:
    with run(folder, type=TEXT) as parley:
        parley.expect("typed")
        began_s, starved_before_s = time.monotonic(), sum(_starved_s(parley.pid).values())
        parley.signal(signal.SIGTERM)
        starved_s: dict[str, float] = {}
        while parley.alive:
            starved_s |= _starved_s(parley.pid)
            time.sleep(0.005)
        took_s = time.monotonic() - began_s
        assert parley.wait() == 0, parley.errors
        # A busy machine's turns for others are none of the program's.
        assert took_s - (sum(starved_s.values()) - starved_before_s) < ENDS_WITHIN_S
    assert asyncio.run(_draft(folder)) == TEXT


def test_what_the_session_asks_to_be_saved_is_saved_before_the_answer(folder: Path) -> None:
    with run(folder, type=TEXT, commit=True) as parley:
        parley.expect("saved")
        assert parley.wait() == 9, parley.errors  # it died right after the answer
    assert asyncio.run(_draft(folder)) == TEXT


def test_a_second_start_hands_its_link_to_the_window_that_is_open(folder: Path) -> None:
    with run(folder) as parley:
        until(lambda: (folder / "data" / "parley.running").exists(), "the open door")
        until(lambda: shows(parley, talk="Hana Watanabe"), "the last conversation")
        door = folder / "data" / "parley.running"
        assert door.stat().st_mode & 0o077 == 0
        with run(folder, f"parley://message/{IN_SECOND}") as second:
            assert second.wait() == 0, second.errors
            assert not any(name.startswith("PySide6") for name in second.expect("done")["modules"])
        until(lambda: shows(parley, talk="Kenji Sato"), "the link's conversation")
        with run(folder, "parley://conversation/not-there") as third:
            assert third.wait() == 0
        until(
            lambda: any(
                "leads to nothing" in banner
                for line in parley.told("shown")
                for banner in line["banners"]
            ),
            "a friendly word",
        )
        parley.signal(signal.SIGTERM)
        assert parley.wait() == 0, parley.errors
        assert not door.exists()


def test_a_link_starts_parley_there(folder: Path) -> None:
    with run(folder, f"parley://conversation/{SECOND}") as parley:
        until(lambda: shows(parley, talk="Kenji Sato"), "the link's conversation")
        parley.signal(signal.SIGTERM)
        assert parley.wait() == 0, parley.errors
    assert WindowState(folder / "config").conversation() == SECOND


def test_a_malformed_link_that_brings_options_along_is_only_a_bad_link(folder: Path) -> None:
    with run(folder, "parley://conversation/x", "--tour", str(folder / "evil")) as parley:
        until(
            lambda: any(
                "can't read it" in banner
                for line in parley.told("shown")
                for banner in line["banners"]
            ),
            "a friendly word",
        )
        parley.signal(signal.SIGTERM)
        assert parley.wait() == 0, parley.errors
    assert not (folder / "evil").exists()


def test_autostart_ends_at_once_where_the_user_wants_none(folder: Path) -> None:
    with run(folder, "--autostart") as parley:
        assert parley.wait() == 0, parley.errors
        modules = parley.expect("done")["modules"]
    assert not [name for name in modules if name.startswith(("PySide6", "qasync", "asyncio"))]


def test_autostart_starts_minimised_where_the_setting_holds(folder: Path) -> None:
    own = {"BackendUrl": "http://127.0.0.1:9", "Autostart": True}
    (folder / "config" / "settings.json").write_text(json.dumps(own), "utf-8")
    with run(folder, "--autostart") as parley:
        until(lambda: shows(parley, minimised=True), "a minimised window")
        until(lambda: (folder / "data" / "parley.running").exists(), "the open door")
        with run(folder, "--autostart") as again:
            assert again.wait() == 0
        assert shows(parley, minimised=True)
        with run(folder) as by_hand:
            assert by_hand.wait() == 0
        until(lambda: shows(parley, minimised=False), "the window in front")
        parley.signal(signal.SIGTERM)
        assert parley.wait() == 0, parley.errors


def test_the_users_no_stands_over_the_installers_autostart(folder: Path) -> None:
    (folder / "defaults.json").write_text('{"Autostart": true}', "utf-8")
    own = {"BackendUrl": "http://127.0.0.1:9", "Autostart": False}
    (folder / "config" / "settings.json").write_text(json.dumps(own), "utf-8")
    with run(folder, "--autostart", installer=str(folder / "defaults.json")) as parley:
        assert parley.wait() == 0
        assert "PySide6" not in parley.expect("done")["modules"]


def test_without_a_backend_the_self_test_says_so_and_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "defaults.json").write_text('{"EmbeddedBackend": false}', "utf-8")
    found = tmp_path / "found.json"
    words = ("--selftest", "--json", "--output", str(found))
    with run(
        tmp_path / "root", *words, installer=str(tmp_path / "defaults.json"), without_streams=True
    ) as parley:
        assert parley.wait() == 20, parley.errors
    document = json.loads(found.read_text("utf-8"))
    assert document["exit_code"] == 20
    assert [(one["name"], one["owner"]) for one in document["checks"]] == [("setup", "IT")]
    assert "isn't set up on this computer" in document["checks"][0]["sentence"]
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(("button", "mark"), [("again", "connected"), ("sample", "embedded_ready")])
def test_it_waits_on_its_page_and_makes_nothing_until_it_is_set_up(
    tmp_path: Path, button: str, mark: str
) -> None:
    (tmp_path / "defaults.json").write_text('{"EmbeddedBackend": false}', "utf-8")
    root = tmp_path / "root"
    root.mkdir()
    with run(root, installer=str(tmp_path / "defaults.json"), not_set_up=button) as parley:
        page = parley.expect("page")
        assert page["words"] == "Parley isn't set up on this computer. Ask IT."
        assert page["made"] == []
        until(lambda: any(line["name"] == mark for line in parley.told("mark")), mark)
        parley.expect("shown")
        parley.signal(signal.SIGTERM)
        assert parley.wait() == 0, parley.errors


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("--selftest", "--nonsense")])
def test_a_program_without_streams_survives_its_own_words(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with run(tmp_path, *words, without_streams=True) as parley:
        assert parley.wait() == (2 if "--nonsense" in words else 0), parley.errors
