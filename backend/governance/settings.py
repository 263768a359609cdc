"""Owns the figures that Compliance sets for its firm, with the defaults that hold without them.

It never guesses what a figure means: each has one name and one unit.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select

from backend.archive.entries import append_act
from backend.storage.bulk import Prepared
from backend.storage.supervision_tables import policy_settings

APPROVAL_HOURS = "approval_hours"
RANDOM_PER_MILLE = "review.random_per_mille"
RULE_PER_MILLE = "review.rule_per_mille"
NATIVE_SILENCE_HOURS = "native.silence_hours"
DEFAULTS = {
    APPROVAL_HOURS: 24,
    NATIVE_SILENCE_HOURS: 168,
    RANDOM_PER_MILLE: 10,
    RULE_PER_MILLE: 50,
}
_RANGES = {
    APPROVAL_HOURS: (1, 720),
    NATIVE_SILENCE_HOURS: (1, 8_760),
    RANDOM_PER_MILLE: (0, 1000),
    RULE_PER_MILLE: (0, 1000),
}

_NAMED = Prepared(
    select(policy_settings.c.name, policy_settings.c.value).where(
        policy_settings.c.firm_id == bindparam("firm"),
        policy_settings.c.name.in_(bindparam("names", expanding=True)),
    ),
    *("firm", "names"),
)


class SettingError(Exception):
    """A figure can't be set so; the text says why in a plain sentence."""


def rule_rate_name(rule_id: str) -> str:
    """Return the name of one rule's own sampling rate, which counts before RULE_PER_MILLE."""
    return f"{RULE_PER_MILLE}.{rule_id}"


def read_setting(connection: Connection, firm_id: str, *names: str) -> int:
    """Return the first of the figures that the firm has set, else the last one's default."""
    known = dict(_NAMED.rows(connection, firm_id, list(names)))
    return next((known[name] for name in names if name in known), DEFAULTS[names[-1]])


def write_setting(
    connection: Connection, firm_id: str, name: str, value: int, actor_id: str, now_utc_ms: int
) -> None:
    """Archive and set a figure; raises SettingError for an unknown one or one out of range."""
    kind = RULE_PER_MILLE if name.startswith(f"{RULE_PER_MILLE}.") else name
    if kind not in _RANGES:
        raise SettingError(f"There is no such figure; there are: {', '.join(sorted(_RANGES))}.")
    lowest, highest = _RANGES[kind]
    if not lowest <= value <= highest:
        raise SettingError(f"This figure must be between {lowest} and {highest}.")
    append_act(
        connection,
        kind="setting",
        actor_id=actor_id,
        told={"name": name, "value": value},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
    this = (policy_settings.c.firm_id == firm_id, policy_settings.c.name == name)
    connection.execute(delete(policy_settings).where(*this))
    connection.execute(insert(policy_settings).values(firm_id=firm_id, name=name, value=value))
