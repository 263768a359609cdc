"""Small bundles for the backend's tests, with one rule for each thing a sender may be asked.

It never stands in for the project's own bundle, which has tests of its own.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from backend.archive.decision_audit import audit_later_decisions
from backend.archive.projection_audit import audit_messages
from backend.archive.verify import verify_archive
from backend.governance.policy import RunningPolicy, running_policy
from tests.backend.workspace import Workspace

_HEADER = "name: Test policy\nversion: {version}\n"
_MESSAGES = """key,language,title,detail
wall,en,Not allowed with this client,"Ask Compliance, ref. {reference}."
opted-out,en,The client opted out,Nothing may be sent on this channel.
window,en,The reply window is closed,Choose a template.
neutral,en,Not allowed with this client,"Ask Compliance, ref. {reference}."
approve,en,Needs approval,A supervisor decides.
warn,en,Read this first,Say that you have read it.
justify,en,Give a reason,It is kept.
doubt,en,Looks like a project,Report it when it is none.
block,en,Not allowed,Remove it.
reach,en,Many retail clients,A supervisor decides.
gift,en,A large gift,More than the year allows.
"""
_RULES = """rules:
  - {id: walls.recipient, kind: wall, action: block, message: wall, category: Recipients}
  - {id: consent.opted-out, kind: opt_out, action: block, message: opted-out, category: Consent}
  - {id: windows.closed, kind: channel_window, action: block, message: window, category: Channel}
  - {id: test.reach, kind: retail_reach, limit: 2, action: approve, message: reach, category: Test}
"""
_WORD = "  - {id: test.%s, kind: regex, pattern: %s, message: %s, category: Test, %s}\n"
_FALSE = "override: allowFalsePositiveOverride"
_WORDS = "".join(
    _WORD % rule
    for rule in (
        ("approve", "allocation", "approve", "action: approve"),
        ("warn", "rumour", "warn", "action: warn"),
        ("warn-reason", "hunch", "warn", "action: warn, override: allowWithJustification"),
        ("warn-free", "aside", "warn", "action: warn, override: allowWithoutJustification"),
        ("warn-doubt", "eagle", "doubt", f"action: warn, {_FALSE}"),
        ("justify", "guarantee", "justify", "action: justify"),
        ("doubt", "falcon", "doubt", f"action: justify, {_FALSE}"),
        ("block", "forbidden", "block", f"action: block, {_FALSE}"),
        ("silent", "watched", "block", "action: log, scope: server"),
        ("hidden", "listed", "warn", "action: warn, scope: server"),
    )
)


def small_policy(version: str = "2090.1.1", more: str = "") -> RunningPolicy:
    """Return the bundle, with more lines of rules when they are given."""
    files = {
        "bundle.yaml": _HEADER.format(version=version),
        "messages.csv": _MESSAGES,
        "rules.yaml": _RULES + _WORDS + more,
    }
    return running_policy({name: content.encode() for name, content in files.items()})


def under(workspace: Workspace, policy: RunningPolicy) -> Workspace:
    """Return the workspace with another policy in force."""
    workspace.services = replace(workspace.services, policy=policy)
    return workspace


async def give_role(workspace: Workspace, employee_id: str, *roles: str) -> None:
    """Let an employee have these roles and no others."""
    listed = ",".join(f'"{role}"' for role in roles)
    await workspace.services.database.write(
        lambda connection: connection.execute(
            text("UPDATE employees SET roles = :roles WHERE employee_id = :id"),
            {"roles": f"[{listed}]", "id": employee_id},
        )
    )


async def audited(workspace: Workspace) -> None:
    """Check the whole archive, and every message and decision against it."""
    database = workspace.services.database
    assert (await database.read(verify_archive)).ok
    await database.read(audit_messages)
    await database.read(audit_later_decisions)
