"""Proofs that the client's rooms load nothing that only rare work needs: it costs memory all day.

They never open a store.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.surroundings import ROOT

# Each is loaded with the first work that needs it.
RARE = (
    "alembic", "app.import_desk", "contract.imports.line_heads", "contract.imports.opening",
    "contract.policy.bundle", "email.policy", "phonenumbers", "psutil", "re2", "sqlalchemy.orm",
    "xml.etree", "yaml",
)  # fmt: skip


@pytest.mark.timeout(60)
def test_the_clients_rooms_load_nothing_that_only_rare_work_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, app.composition; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=50,
    )
    loaded = set(done.stdout.split())
    assert "app.store.store" in loaded
    assert loaded.intersection(RARE) == set()
