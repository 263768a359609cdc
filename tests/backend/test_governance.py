"""Policy versions only grow, and what only the server may know never leaves it.

It never fakes a part: it uses the project's own bundle, changed as an administrator would
change it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.governance.policy import RunningPolicy, adopt, read_policy_folder, running_policy
from backend.inbox.events import read_events
from contract.policy.manifest import unpack_bundle
from tests.backend.workspace import ELENA, FIRM, POLICY, Workspace

FOLDER = Path(__file__).parents[2] / "resources" / "policy"


def changed(version: str, *, note: str = "") -> RunningPolicy:
    """Return the project's bundle under another version, with a comment more."""
    files = read_policy_folder(FOLDER)
    header = files["bundle.yaml"].decode()
    ours = POLICY.server.version
    assert ours in header
    files["bundle.yaml"] = header.replace(ours, version).encode()
    files["rules.yaml"] += note.encode()
    return running_policy(files)


async def offer(workspace: Workspace, policy: RunningPolicy) -> tuple[RunningPolicy, str]:
    """Offer a bundle."""
    return await workspace.services.database.write(
        lambda connection: adopt(connection, FIRM, policy, workspace.clock())
    )


async def test_newer_bundle_is_archived_and_told(workspace: Workspace) -> None:
    newer = changed("2099.1.1")
    assert await offer(workspace, newer) == (newer, "")
    assert await offer(workspace, newer) == (newer, "")
    entries = "SELECT count(*) FROM archive_entries WHERE kind = 'policy'"
    assert await workspace.scalar(entries) == 2
    events = await workspace.services.database.read(
        lambda connection: read_events(connection, ELENA, 0, 10)
    )
    assert b'"bundle_version":"2099.1.1"' in events[-1].body


@pytest.mark.parametrize("version", ["2000.1.1", POLICY.server.version])
async def test_older_or_silently_changed_bundle_is_refused_and_the_old_goes_on(
    workspace: Workspace, version: str
) -> None:
    running, problem = await offer(workspace, changed(version, note="\n# changed\n"))
    assert "refused" in problem
    assert (running.server.version, running.server.hash) == (
        POLICY.server.version,
        POLICY.server.hash,
    )
    assert running.packed == POLICY.packed


def test_server_only_rules_never_reach_a_client() -> None:
    whole = unpack_bundle(POLICY.packed_whole)
    published = unpack_bundle(POLICY.packed)
    assert set(published) <= {*whole, "manifest.json"}
    hidden = {rule.id for rule in POLICY.server.rules} - {rule.id for rule in POLICY.client.rules}
    for rule_id in hidden:
        assert all(rule_id.encode() not in content for content in published.values())
