"""Runs the bundle for Linux as it was built, without installing it.

It never shows a window.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from contract.inspection.apart import InspectionRequest, answered, exchange
from tests.contract.inspection.samples import pdf
from tests.packaging.conftest import Built
from tests.support.surroundings import ROOT

pytestmark = pytest.mark.timeout(600)


@pytest.mark.needs_packages
def test_an_update_under_a_running_program_does_not_take_its_modules_away(
    bundle: Built, tmp_path: Path
) -> None:
    """A package's new files take the old ones' names while Parley runs and has more to import."""
    folder = _copy(bundle("linux"), tmp_path)
    process = subprocess.Popen(
        [str(folder / "parley-backend"), "inspect"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    _wait_until_it_listens(process.pid)
    (folder / "new.pkg").write_bytes(b"another version")
    (folder / "new.pkg").rename(folder / "parley.pkg")
    request = InspectionRequest(name="report.pdf", declared_type="application/pdf")

    found = answered(request, exchange(process, request, [pdf(["Quarterly report"])]), in_time=True)

    assert "Quarterly report" in found.text, found


@pytest.mark.needs_packages
def test_a_damaged_program_says_so_and_ends(bundle: Built, tmp_path: Path) -> None:
    folder = _copy(bundle("linux"), tmp_path)
    (folder / "parley.pkg").unlink()

    done = subprocess.run(
        [str(folder / "parley"), "--version"], capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "archive" in done.stderr


@pytest.mark.needs_packages
def test_nothing_names_a_folder_of_the_machine_that_built_it(bundle: Built) -> None:
    folder = bundle("linux")
    own = [bytes(ROOT / "packaging"), bytes(ROOT / ".packaging"), bytes(ROOT / ".venv")]
    if not sys.base_prefix.startswith("/usr"):
        own.append(os.fsencode(sys.base_prefix))
    contents = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(folder / "_internal" / "base_library.zip") as library:
        contents |= {name: library.read(name) for name in library.namelist()}

    assert not [name for name, content in contents.items() if any(one in content for one in own)]


@pytest.mark.parametrize(("before", "after"), [("/opt/firm", "/opt/firm"), (None, None)])
def test_programs_started_from_parley_look_for_their_own_libraries(
    before: str | None, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = runpy.run_path(str(ROOT / "packaging" / "start" / "start.py"), run_name="start")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib/parley/_internal")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    if before is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)

    start["_give_back_library_path"]()

    assert os.environ.get("LD_LIBRARY_PATH") == after
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ


def _copy(bundle: Path, target: Path) -> Path:
    """Copy a bundle by links: what is replaced in the copy stays whole in the bundle."""
    shutil.copytree(bundle, target / "parley", symlinks=True, copy_function=os.link)
    return target / "parley"


def _wait_until_it_listens(pid: int) -> None:
    """Return when a process waits for its input: its programs are read as far as they need be."""
    reading = "0 0x0 "  # the system call read, of the standard input
    while not Path(f"/proc/{pid}/syscall").read_text(encoding="ascii").startswith(reading):
        time.sleep(0.02)
