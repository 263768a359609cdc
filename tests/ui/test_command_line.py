"""Tests of `python -m ui` as its own process. They never open a visible window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.diagnostics.checks import CHECKS
from ui.session_end import restart_words

_WITHOUT_QT = """
import sys
class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PySide6", "shiboken6", "qasync"):
            raise ImportError(f"{name} must not be imported here")
sys.meta_path.insert(0, NoQt())
from ui.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def _run(arguments: list[str], *, timeout_s: float = 150.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )


def test_the_version_needs_no_qt() -> None:
    done = _run(["-c", _WITHOUT_QT, "--version"])
    assert (done.returncode, done.stdout.split()[0]) == (0, "Parley")


def test_the_self_test_needs_no_qt_and_names_the_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a keyring and without a passphrase the data can't be opened: IT's to mend.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    done = _run(["-c", _WITHOUT_QT, "--selftest", "--json", "--data-dir", str(tmp_path)])
    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] == 20
    names = [f"check.{check['name']}" for check in document["checks"]]
    assert names == list(CHECKS)
    assert {one["key"]: one["origin"] for one in document["settings"]}["LogLevel"] == "default"
    assert str(tmp_path) not in done.stdout


def test_json_goes_with_the_self_test_only() -> None:
    assert _run(["-m", "ui", "--json"]).returncode == 2


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("", "--restarted"),
        (r"D:\Data", r"--restarted --data-dir D:\Data"),
        ("D:\\My data\\", r'--restarted --data-dir "D:\My data\\"'),
        ("D:" + 1_000 * "x", ""),
    ],
)
def test_windows_starts_parley_again_over_the_same_folder(folder: str, words: str) -> None:
    assert restart_words(environ={"PARLEY_DATA_DIR": folder}) == words


def test_windows_starts_parley_again_with_this_runs_theme() -> None:
    assert restart_words("dark", {}) == "--restarted --theme dark"
    words = restart_words("light", {"PARLEY_DATA_DIR": r"D:\Data"})
    assert words == r"--restarted --theme light --data-dir D:\Data"
    assert _run(["-m", "ui", *words.split(), "--version"]).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tour_really_happens(tmp_path: Path) -> None:
    folder = tmp_path / "tour"
    done = _run(["-m", "ui", "--tour", str(folder)], timeout_s=560.0)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["ok"] is True
    pictures = [step["screenshot"] for step in report["steps"][:-1]]
    assert len(set(pictures)) == len(pictures) and report["steps"][-1]["screenshot"] == ""
    assert all((folder / picture).stat().st_size > 10_000 for picture in pictures)
    names = [step["name"] for step in report["steps"]]
    assert names[0] == "start" and names[-1] == "archive-verified"
