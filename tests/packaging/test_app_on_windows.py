"""What the app does by Windows alone: autostart, locks, restart, its door, run by Python in wine.

They never touch the machine's registry, and prove nothing of a real Windows.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from installers import inputs
from installers.places import ROOT
from installers.windows import runtime, wine
from installers.windows.wine import Ran, Wine, windows_path
from tests.packaging.conftest import Built
from tests.support.waiting import until

pytestmark = [pytest.mark.needs_packages, pytest.mark.timeout(1800)]

_HEAD = """
import asyncio, ctypes, json, os, sys
from pathlib import Path
root, answer = Path(sys.argv[1]), Path(sys.argv[2])
told = {}
"""
_AUTOSTART = """
from app.session.autostart import RUN_KEY, keep_autostart
from app.session.run_key import RunKey
command = (r"C:\\Program Files\\Parley\\parley.exe",)
keep_autostart(True, command)
told["on"] = RunKey(RUN_KEY).get("Parley")
keep_autostart(True, command)
keep_autostart(False, command)
told["off"] = RunKey(RUN_KEY).get("Parley")
keep_autostart(False, command)
"""
_FOLDERS = """
from app.domain.errors import AppError
from app.session.instance_lock import InstanceLock
from app.session.outbox_folder import OutboxFolder
data, share = root / "data", root / "share"
data.mkdir()
(data / "outbox.db").write_bytes(b"unsent")
first, second = OutboxFolder(share, data), OutboxFolder(share, root / "other")
first.acquire()
told["moved"] = [(share / "outbox.db").read_bytes().decode(), (data / "outbox.db").exists()]
try:
    second.acquire()
except AppError as fault:
    told["second"] = fault.code
first.release()
second.acquire()
second.release()
"""
_DOOR = """
from app.session import instance_door
from app.session.instance_door import InstanceDoor, knock
instance_door._ANSWER_WITHIN_S = 60.0
async def both():
    came = []
    door = InstanceDoor(root, came.append)
    await door.open()
    taken = await asyncio.to_thread(knock, root, "parley://conversation/c1")
    await door.close()
    return taken, came, await asyncio.to_thread(knock, root)
told["door"] = asyncio.run(both())
"""
_WINDOWED = """
from ui.standard_streams import provide_streams
sys.stdout = sys.stderr = None
provide_streams()
print("survives")
register = ctypes.windll.kernel32.RegisterApplicationRestart
told["restart"] = register(ctypes.c_wchar_p("--restarted"), 3)
from ui.__main__ import main
told["version"] = main(["--version"])
told["quiet start"] = main(["--autostart"])
"""
_TAIL = """
answer.write_text(json.dumps(told))
"""


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """Return a computer for the whole module."""
    made = wine.prepare(tmp_path_factory.mktemp("app") / "computer")
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            _AUTOSTART,
            {"on": r'"C:\Program Files\Parley\parley.exe" --autostart', "off": None},
        ),
        (_FOLDERS, {"moved": ["unsent", False], "second": "outbox_in_use"}),
        (_DOOR, {"door": [True, ["parley://conversation/c1"], False]}),
        (_WINDOWED, {"restart": 0, "version": 0, "quiet start": 0}),
    ],
    ids=["autostart", "folders", "door", "windowed"],
)
def test_the_app_works_with_what_windows_offers(
    windows: Wine, tmp_path: Path, script: str, expected: object
) -> None:
    answer = tmp_path / "answer.json"
    modules = ";".join(windows_path(path) for path in (ROOT, inputs.site_packages("windows")))
    ran = windows.run(
        [runtime.python(), "-B", "-c", _HEAD + script + _TAIL, tmp_path, answer],
        variables={"PYTHONPATH": modules, "PARLEY_DATA_DIR": windows_path(tmp_path / "parley")},
        timeout_s=600,
    )
    assert ran.status == 0, ran
    assert json.loads(answer.read_text(encoding="utf-8")) == expected


def test_one_program_runs_and_takes_the_links_of_later_starts(windows: Wine, bundle: Built) -> None:
    (home,) = [one for one in (windows.drive_c / "users").iterdir() if one.name != "Public"]
    data = home / "AppData" / "Local" / "Parley"
    data.mkdir(parents=True)
    own = {"BackendUrl": "http://127.0.0.1:9", "Autostart": True}
    (data / "settings.json").write_text(json.dumps(own), "utf-8")
    program = bundle("windows") / "parley.exe"
    # With anything but a pipe for its output wine 8 starts no windowed program.
    first = subprocess.Popen(
        windows.command([program]),
        env=windows.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        until((data / "parley.running").exists, "the open door", timeout_s=600)
        for word in ("parley://conversation/none", "--autostart", ""):
            ran = windows.run([program, *filter(None, [word])], timeout_s=600)
            assert ran.status == 0, (word, ran)
        assert first.poll() is None
        asked = ["reg", "query", r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"]
        until(lambda: _names(windows.run(asked), program), "the autostart entry", timeout_s=600)
    finally:
        windows.stop()
        first.communicate(timeout=600)


def _names(ran: Ran, program: Path) -> bool:
    return f'"{windows_path(program)}" --autostart' in ran.output
