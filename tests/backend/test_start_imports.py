"""Proofs that serving loads nothing that only rare work needs: it costs each start and memory.

They never serve.
"""

from __future__ import annotations

import pytest

from tests.support.loaded_modules import loaded_by

# Each is loaded with the first work that needs it.
RARE = (
    "backend.imports.desk", "click", "contract.imports.line_heads", "contract.imports.opening",
    "contract.policy.evaluate", "email.policy", "multiprocessing", "phonenumbers", "re2",
    "sqlalchemy.orm", "xml.etree", "yaml",
)  # fmt: skip
# What a witness, which sees checkpoints alone, has no use for.
NO_USE_TO_A_WITNESS = (
    *RARE, "contract.policy", "httpx", "sqlalchemy", "sqlcipher3", "starlette.applications",
    "starlette.routing",
)  # fmt: skip


@pytest.mark.timeout(60)
def test_serving_loads_nothing_that_only_rare_work_needs() -> None:
    loaded = loaded_by("import backend.cli.running, backend.api.app")
    assert "backend.runtime" in loaded
    assert loaded.intersection(RARE) == set()


@pytest.mark.timeout(60)
def test_a_witness_loads_nothing_that_it_has_no_use_for() -> None:
    loaded = loaded_by("import backend.cli.witness")
    assert "backend.archive.witness_service" in loaded
    assert loaded.intersection(NO_USE_TO_A_WITNESS) == set()
