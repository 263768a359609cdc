"""A channel that somebody else made: installed as a package of its own, it passes the suite.

It never adds a line to Parley: the package is the example of docs/channels/new.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from PySide6.QtWidgets import QApplication

from backend.channels.modules import BUILT_IN
from tests.channels.peers import free_port
from tests.channels.running_app import open_app
from tests.support.firm_backend import FirmBackend
from tests.support.qt_loop import run_in_qt_loop
from tests.support.served_backend import verify_archive
from tests.support.surroundings import ROOT
from tests.ui.kit import until

pytestmark = pytest.mark.timeout(600)
EXAMPLE = ROOT / "docs" / "channels" / "example"
SECRET, ACCOUNT, EMPLOYEE = "shared with the gateway", "acc-spool", "emp-ruth"


class Installed(NamedTuple):
    """The example as it was installed: where its packages lie, and the rest of its source."""

    site: Path
    source: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install a copy of the example as somebody's package, without the network."""
    if not os.environ.get("PARLEY_PEERS"):
        pytest.skip("installs a package and runs its tests: in `make test-channels` only")
    folder = tmp_path_factory.mktemp("outside")
    found = Installed(folder / "site", folder / "source")
    shutil.copytree(EXAMPLE, found.source)
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    where = ["--target", str(found.site), str(found.source)]
    _run(["-m", "pip", "install", "--quiet", *alone, *where], folder)
    shutil.rmtree(found.source / "parley_channel_spool")  # what runs is what was installed
    return found


def test_a_package_from_outside_passes_the_suite_that_every_connector_passes(
    installed: Installed,
) -> None:
    where = {"PYTHONPATH": f"{installed.site}{os.pathsep}{ROOT}"}
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(installed.source)]
    told = _run(command, installed.source, where)
    assert "17 passed, 8 skipped" in told, told


def test_a_channel_from_outside_serves_a_firm_like_any_other(
    installed: Installed, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed.site))
    assert "spool" not in BUILT_IN
    folder = tmp_path / "spool"
    for name in ("incoming", "outgoing"):
        (folder / name).mkdir(parents=True)
    with FirmBackend(tmp_path, port=free_port(), packages=installed.site) as firm:
        token = firm.add_employee(EMPLOYEE, "Ruth Amsler")
        settings = {"folder": str(folder), "secret": SECRET}
        firm.add_channel("spool", ACCOUNT, settings, "--member", EMPLOYEE)
        point = ["--point", "sms:+10000000001", "--consent", "recording=accepted@2026-1"]
        firm.admin("contact", "add", "--name", "Ada Lovelace", "--employee", EMPLOYEE, *point)
        firm.start()

        async def work() -> None:
            async with open_app(qapp, tmp_path / "app", firm, token) as app:
                _writes(folder, "Good morning")
                await app.opens("Ada Lovelace")
                await app.shows("Good morning")
                await app.types("Good morning, Ada")
                await app.archives("Good morning, Ada")
                await until(lambda: _sent(folder) == ["Good morning, Ada"], 120)

        run_in_qt_loop(qapp, work(), timeout_s=500)
        firm.stop()
    assert verify_archive(firm.data_dir)["ok"]


def _writes(folder: Path, text: str) -> None:
    """Lay down what a client wrote, as the gateway does."""
    body = json.dumps({"id": "1", "from": "+10000000001", "text": text}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest().encode()
    unnamed = folder / "incoming" / ".unnamed"
    unnamed.write_bytes(signature + b"\n" + body)
    unnamed.rename(unnamed.with_name("1.json"))


def _sent(folder: Path) -> list[str]:
    found = sorted((folder / "outgoing").glob("*.json"))
    return [json.loads(path.read_bytes())["text"] for path in found]


def _run(arguments: list[str], folder: Path, where: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=dict(os.environ) | (where or {}),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout
