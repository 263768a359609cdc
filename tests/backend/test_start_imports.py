"""Proofs that serving loads nothing that only rare work needs: it costs each start and memory.

They never serve.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.surroundings import ROOT

# Each is loaded with the first work that needs it.
RARE = (
    "backend.imports.desk", "contract.imports.line_heads", "contract.imports.opening",
    "contract.policy.evaluate", "email.policy", "phonenumbers", "re2", "sqlalchemy.orm",
    "xml.etree", "yaml",
)  # fmt: skip


@pytest.mark.timeout(60)
def test_serving_loads_nothing_that_only_rare_work_needs() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, backend.cli.running, backend.api.app; print(*sys.modules)",
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=50,
    )
    loaded = set(done.stdout.split())
    assert "backend.runtime" in loaded
    assert loaded.intersection(RARE) == set()
