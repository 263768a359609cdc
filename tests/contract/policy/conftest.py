"""The sample bundle's bytes, compiled for either side, and short ways to build a draft.

It does not change the bundle; tests that need another one edit a copy of its files.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.evaluate import evaluate
from contract.policy.model import ContactPointFacts, Decision, Draft, Facts, Recipient
from contract.wire import ConsentStatus
from tests.support.surroundings import ROOT

SAMPLE_DIR = ROOT / "resources" / "policy"
NOW_UTC_MS = 1_795_000_000_000

Decide = Callable[..., Decision]


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """Return the sample bundle's source files."""
    return {
        path.relative_to(SAMPLE_DIR).as_posix(): path.read_bytes()
        for path in sorted(SAMPLE_DIR.rglob("*"))
        if path.suffix in {".yaml", ".csv"}
    }


@pytest.fixture(scope="session")
def bundle(files: dict[str, bytes]) -> CompiledBundle:
    """Return the sample bundle as the composer has it."""
    return compile_bundle(files, Side.CLIENT)


@pytest.fixture(scope="session")
def server_bundle(files: dict[str, bytes]) -> CompiledBundle:
    """Return the sample bundle as the backend has it."""
    return compile_bundle(files, Side.SERVER)


@pytest.fixture
def decide(bundle: CompiledBundle) -> Decide:
    """Return a function that decides on a text for one recipient."""

    def run(
        text: str,
        facts: Facts | None = None,
        *,
        channel: str = "signal",
        template_id: str = "",
        language: str = "en",
    ) -> Decision:
        draft = Draft(
            text=text,
            conversation_id="conversation-1",
            channel=channel,
            recipients=(Recipient(contact_id="contact-1", contact_point_id="point-1"),),
            template_id=template_id,
            language=language,
        )
        return evaluate(bundle, facts or consenting_facts(), draft)

    return run


def consenting_facts(**changes: object) -> Facts:
    """Return facts under which the sample rules have nothing against the recipient."""
    values: dict[str, object] = {
        "contact_point_id": "point-1",
        "recording_notice": ConsentStatus.ACCEPTED,
    }
    point_fields = set(ContactPointFacts.__struct_fields__)
    values |= {name: value for name, value in changes.items() if name in point_fields}
    rest = {name: value for name, value in changes.items() if name not in point_fields}
    point = ContactPointFacts(**values)  # type: ignore[arg-type] # fields by name
    return Facts(now_utc_ms=NOW_UTC_MS, contact_points=(point,), **rest)  # type: ignore[arg-type] # ditto
