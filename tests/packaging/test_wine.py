"""Checks that a program which wine never began is run again, and no other.

It needs no wine: a loader of its own stands in for wine's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from installers.windows.wine import Ran, Wine

# Ends as often as told by the first argument as wine does whose server was just ending.
_LOADER = """#!/bin/sh
echo x >>starts
[ "$(wc -l <starts)" -gt "$1" ] && { echo ran; exit 67; }
echo "$2"
exit 1
"""
_RESET = "wine client error:0: recvmsg: Connection reset by peer"


def _wine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Wine:
    loader = folder / "loader"
    loader.write_text(_LOADER)
    loader.chmod(0o755)
    monkeypatch.setattr("installers.windows.wine._LOADER", loader)
    return Wine(folder)


def test_what_never_began_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = _wine(tmp_path, monkeypatch).run(["2", _RESET])

    assert ran == Ran(67, "ran\n")
    assert (tmp_path / "starts").read_text() == "x\n" * 3


def test_what_never_begins_at_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = _wine(tmp_path, monkeypatch).run(["9", _RESET])

    assert ran == Ran(1, f"{_RESET}\n")
    assert (tmp_path / "starts").read_text() == "x\n" * 4


def test_what_failed_in_its_own_way_is_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of another thread: the program had begun.
    told = "wine client error:24: write: Bad file descriptor"
    ran = _wine(tmp_path, monkeypatch).run(["9", told])

    assert ran == Ran(1, f"{told}\n")
    assert (tmp_path / "starts").read_text() == "x\n"
