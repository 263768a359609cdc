"""Signing in to a firm's backend by an access token, from the command line.

It touches no keyring but that of a session bus of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.session.access_token import kept_token
from ui.__main__ import main


@pytest.mark.usefixtures("private_keyring")
def test_the_command_keeps_what_is_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"https://parley-{os.urandom(6).hex()}.example"
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path))
    (tmp_path / "token").write_text("parley_third\n")
    assert main(["--sign-in", str(tmp_path / "token")]) == 20  # no backend is configured
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text(f'{{"BackendUrl": "{url}"}}')
    assert main(["--sign-in", str(tmp_path / "token")]) == 0
    assert kept_token(url) == "parley_third"
    (tmp_path / "token").write_text("two words\n")
    assert main(["--sign-in", str(tmp_path / "token")]) == 10
    assert main(["--sign-in", str(tmp_path / "nowhere")]) == 10
    assert kept_token(url) == "parley_third"
    assert main(["--sign-out"]) == 0
    assert kept_token(url) == ""
    said = capsys.readouterr()
    assert "parley_third" not in said.out + said.err
