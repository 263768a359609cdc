"""The policy at a start: the one of the last start stays in force and is compiled aside, later.

It does not judge drafts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.governance import policy as governance_policy
from backend.governance.policy import RunningPolicy, read_policy_folder
from backend.governance.publication import settle_policy
from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.problems import BundleError
from tests.backend.workspace import FIRM, Workspace

FOLDER = Path(__file__).parents[2] / "resources" / "policy"
SHIPPED = read_policy_folder(FOLDER)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Side]:
    """Return the list of sides for which a bundle is compiled from now on."""
    sides: list[Side] = []

    def compile_counted(files: dict[str, bytes], side: Side) -> CompiledBundle:
        sides.append(side)
        return compile_bundle(files, side)

    monkeypatch.setattr(governance_policy, "compile_bundle", compile_counted)
    return sides


async def settle(workspace: Workspace, shipped: dict[str, bytes]) -> tuple[RunningPolicy, str]:
    """Return the policy in force as at a start."""
    return await workspace.services.database.write(
        lambda connection: settle_policy(connection, FIRM, "i-1", shipped, workspace.clock())
    )


def newer(version: str) -> dict[str, bytes]:
    """Return the shipped bundle under another version."""
    lines = SHIPPED["bundle.yaml"].decode().splitlines()
    header = [f'version: "{version}"' if one.startswith("version") else one for one in lines]
    return SHIPPED | {"bundle.yaml": "\n".join(header).encode()}


async def test_the_policy_of_the_last_start_is_not_compiled_before_it_is_asked_for(
    workspace: Workspace, compiled: list[Side]
) -> None:
    first, _ = await settle(workspace, newer("2099.1.1"))
    compiled.clear()
    second, problem = await settle(workspace, newer("2099.1.1"))
    assert compiled == [] and problem == ""
    assert (second.version, second.hash) == (first.version, first.hash)
    assert second.packed == first.packed and second.etag == first.etag
    assert second.packed_whole == first.packed_whole
    second.prepare()
    assert compiled == [Side.SERVER]
    assert second.client.hash == first.client.hash
    assert second.server.hash == first.server.hash == second.hash
    second.prepare()
    assert compiled == [Side.SERVER, Side.CLIENT, Side.CLIENT]  # the last two: one for each


async def test_a_policy_that_came_with_a_newer_parley_comes_into_force(
    workspace: Workspace, compiled: list[Side]
) -> None:
    await settle(workspace, newer("2099.1.1"))
    compiled.clear()
    policy, problem = await settle(workspace, newer("2099.1.2"))
    assert (policy.version, problem) == ("2099.1.2", "")
    assert compiled == [Side.SERVER]


async def test_an_older_or_altered_policy_leaves_the_newest_in_force(workspace: Workspace) -> None:
    await settle(workspace, newer("2099.1.2"))
    altered = newer("2099.1.2")
    altered["rules.yaml"] += b"\n# one more line\n"
    for shipped in (newer("2099.1.1"), altered):
        policy, problem = await settle(workspace, shipped)
        assert policy.version == "2099.1.2" and "refused" in problem
        assert policy.server.version == "2099.1.2"


def test_a_policy_that_can_no_longer_be_read_says_so_when_it_is_prepared() -> None:
    broken = SHIPPED | {"rules.yaml": b"rules: 1"}
    policy = RunningPolicy(broken, "2099.1.1", "0" * 64)
    with pytest.raises(BundleError):
        policy.prepare()
