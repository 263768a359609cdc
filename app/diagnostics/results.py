"""Holds what a check found and who can mend it, with the self-test's exit codes.

It never runs a check.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.settings_account import SettingsAccount


class CheckStatus(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Owner(StrEnum):
    """Who can mend what was found; nobody when all is well."""

    NOBODY = ""
    USER = "user"
    IT = "IT"
    VENDOR = "vendor"


EXIT_CODES = {Owner.NOBODY: 0, Owner.USER: 10, Owner.IT: 20, Owner.VENDOR: 30}

TITLES = {
    "check.setup": "Set-up",
    "check.settings": "Settings",
    "check.store": "Local store",
    "check.keyring": "Keyring",
    "check.backend": "Service",
    "check.version": "Version",
    "check.events": "Event stream",
    "check.policy": "Policy bundle",
    "check.archive": "Archive round trip",
    "check.channels": "Channels",
    "check.outbox": "Outbox",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the diagnostics page; `sentence` holds no content of messages."""

    name_key: str
    status: CheckStatus
    sentence: str
    owner: Owner = Owner.NOBODY
    elapsed_ms: float = 0.0

    @property
    def title(self) -> str:
        """Return the check's name for people."""
        return TITLES.get(self.name_key, self.name_key)


def exit_code(results: Sequence[CheckResult]) -> int:
    """Return 0 when nothing failed, else the first failure's owner: 10 user, 20 IT, 30 vendor.

    The first one decides because later failures mostly follow from it.
    """
    for result in results:
        if result.status is CheckStatus.FAIL:
            return EXIT_CODES[result.owner] or EXIT_CODES[Owner.VENDOR]
    return 0


def to_text(results: Sequence[CheckResult], settings: SettingsAccount | None = None) -> str:
    """Return the results as a table for a terminal, and below them the settings somebody set."""
    marks = {CheckStatus.OK: "ok  ", CheckStatus.WARN: "warn", CheckStatus.FAIL: "FAIL"}
    lines = []
    for result in results:
        owner = f" [{result.owner}]" if result.owner else ""
        took = f"{result.elapsed_ms:7.1f} ms"
        lines.append(f"{marks[result.status]}  {result.title:<20} {took}  {result.sentence}{owner}")
    if settings is not None:
        lines += [f"fault {fault.words}" for fault in settings.faults]
        lines += [
            f"set   {line.key} = {line.value} ({line.origin}, {line.place})"
            for line in settings.lines
            if line.place
        ]
    return "\n".join(lines)


def to_json(
    results: Sequence[CheckResult], version: str, settings: SettingsAccount | None = None
) -> str:
    """Return the results as one JSON document for tools, with every setting and its origin."""
    document: dict[str, object] = {
        "version": version,
        "ok": exit_code(results) == 0,
        "exit_code": exit_code(results),
        "checks": [
            {
                "name": result.name_key.removeprefix("check."),
                "status": result.status.value,
                "sentence": result.sentence,
                "owner": result.owner.value,
                "elapsed_ms": round(result.elapsed_ms, 1),
            }
            for result in results
        ],
    }
    if settings is not None:
        document |= _settings_part(settings)
    return json.dumps(document, indent=2, ensure_ascii=False)


def _settings_part(settings: SettingsAccount) -> dict[str, object]:
    return {
        "settings": [
            {
                "key": line.key,
                "value": line.value,
                "origin": line.origin,
                "place": line.place,
                "locked": line.locked,
                "acted_on": line.acted_on,
            }
            for line in settings.lines
        ],
        "settings_warnings": [fault.words for fault in settings.faults],
        "settings_waiting_for_a_start": list(settings.changed),
    }
