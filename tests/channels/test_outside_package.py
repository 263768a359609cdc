"""A channel that somebody else made: installed as a package of its own, it passes the suite.

It never adds a line to Parley: the package is the example of docs/channels/new.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.surroundings import ROOT

pytestmark = pytest.mark.timeout(180)
EXAMPLE = ROOT / "docs" / "channels" / "example"
_RUN_IN_A_BACKEND = """
import asyncio, sys
from backend.channels.contract import Account, InboundWay
from backend.channels.modules import BUILT_IN, installed_names, load_module
from backend.channels.running import VendorChannels
from contract.ids import AccountId, ConversationId

async def main():
    module = load_module("spool")
    assert "spool" not in BUILT_IN and "spool" in installed_names(), installed_names()
    account = Account(account_id=AccountId("a1"), channel=module.channel, connector="spool",
                      idempotency="server_key")
    settings = {"a1": {"folder": sys.argv[1], "secret": "s"}}
    channels = VendorChannels([account], settings, lambda: 1)
    await channels.start()
    able = channels.outbound["spool"].capabilities(account, ConversationId("c1"))
    print(sys.modules["parley_channel_spool"].__file__)
    assert able.inbound is InboundWay.POLL and channels.problems == ()
    await channels.stop()

asyncio.run(main())
"""


def test_a_package_from_outside_brings_a_channel_that_passes_the_suite(tmp_path: Path) -> None:
    if not os.environ.get("PARLEY_PEERS"):
        pytest.skip("installs a package and runs its tests: in `make test-channels` only")
    source, site = tmp_path / "source", tmp_path / "site"
    shutil.copytree(EXAMPLE, source)
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    _run(["-m", "pip", "install", "--quiet", *alone, "--target", str(site), str(source)], tmp_path)
    shutil.rmtree(source / "parley_channel_spool")  # what runs is what was installed
    where = {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    loaded = _run(["-c", _RUN_IN_A_BACKEND, str(tmp_path)], tmp_path, where)
    assert loaded.strip() == str(site / "parley_channel_spool" / "__init__.py")
    told = _run(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(source)], source, where)
    assert "17 passed, 8 skipped" in told, told


def _run(arguments: list[str], folder: Path, where: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=dict(os.environ) | (where or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout
