"""Names that strangers chose neither lie on screen nor leave the folder they are saved in.

It never needs a file system: the rules of all systems hold on each of them.
"""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.names import MAX_FILE_NAME_CHARS, file_name, shown_name


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("Jürg Ånders", "Jürg Ånders"),
        ("山田 太郎", "山田 太郎"),
        ("👩‍💻 Ada", "👩‍💻 Ada"),
        ("Elena\u202e gnirts", "Elena gnirts"),
        ("\u200b\u2066Bank\u2069\ufeff", "Bank"),
        ("two\nlines\x00", "two lines"),
        ("\ud800lone", "lone"),
        ("\u202e", ""),
    ],
)
def test_names_are_shown_without_what_hides_or_reorders(given_name: str, shown: str) -> None:
    assert shown_name(given_name) == shown


@pytest.mark.parametrize(
    ("given_name", "saved"),
    [
        ("Term sheet.pdf", "Term sheet.pdf"),
        ("契約書.pdf", "契約書.pdf"),
        ("../../.ssh/authorized_keys", "_._.._.ssh_authorized_keys"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\Windows\\x.dll", "C__Windows_x.dll"),
        (".bashrc", "_bashrc"),
        ("..", "file"),
        ("", "file"),
        ("nul.txt", "_nul.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("spaces and dots . .", "spaces and dots"),
        ("x" * 300 + ".pdf", "x" * 156 + ".pdf"),
    ],
)
def test_files_get_a_name_that_every_system_takes(given_name: str, saved: str) -> None:
    assert file_name(given_name) == saved


@given(st.text(max_size=400))
def test_no_name_leaves_its_folder(text: str) -> None:
    name = file_name(text)
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    assert 0 < len(name) <= MAX_FILE_NAME_CHARS
    assert not name.startswith(".")
    name.encode("utf-8")
