"""Puts what was found of a message's receipt into the words of its dialog.

It never says "checked" of anything this computer has not verified.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import tzinfo

from app.domain.archive import AlarmKind, ArchiveAlarm, Finding, ReceiptView
from contract.states import DeliveryState
from contract.wire import Direction, Message
from ui.models.message_words import number_words
from ui.models.times import clock_time, day_words, local

Line = tuple[str, str]
MINUTE_MS = 60_000
_ALARMS = {
    AlarmKind.ROLLBACK: "The archive holds fewer entries than this computer saw before.",
    AlarmKind.FORK: "The archive shows another history than this computer saw before.",
    AlarmKind.GAP: "The archive gives no proof for what it should hold.",
    AlarmKind.RECEIPT: "The receipt does not belong to what was sent, or was not signed by the "
    "archive.",
    AlarmKind.WITNESS: "The receipt was confirmed by others than your firm's witnesses.",
}


_DECIDED = {
    "allow": "nothing found",
    "log": "allowed",
    "hint": "allowed with a hint",
    "warn": "allowed with a warning",
    "justify": "a reason was asked for",
    "approve": "approval was asked for",
    "block": "refused",
}


@dataclass(frozen=True, slots=True)
class ReceiptWords:
    """The dialog from top to bottom; `tone` colours the shield: ok, warn, block or ink2."""

    tone: str
    title: str
    subtitle: str
    lines: tuple[Line, ...] = ()
    technical: tuple[Line, ...] = ()
    can_save: bool = False


def checking_words(message: Message, zone: tzinfo | None = None) -> ReceiptWords:
    """Return what the dialog says while the receipt is fetched and checked."""
    return ReceiptWords("ink2", "Checking this message's receipt…", _archived(message, 0, zone))


def receipt_words(
    message: Message, view: ReceiptView, now_utc_ms: int, zone: tzinfo | None = None
) -> ReceiptWords:
    """Return what the dialog says of a finding; `now_utc_ms` tells how long ago it is."""
    tone, title = _headline(view)
    if message.state is DeliveryState.BLOCKED and view.finding is Finding.VERIFIED:
        title = "This message is archived as refused, and this computer checked it"
    said = _archived(message, view.archived_at_utc_ms, zone)
    subtitle = " · ".join(part for part in (said, _checked(view, now_utc_ms, zone)) if part)
    if view.finding is Finding.FAILED:
        subtitle = _ALARMS[view.alarm or AlarmKind.RECEIPT]
    known = view.archived_at_utc_ms > 0
    return ReceiptWords(
        tone,
        title,
        subtitle,
        _lines(view, zone) if known else (),
        _technical(view) if view.finding is Finding.VERIFIED else (),
        bool(view.saved),
    )


def alarm_lines(alarm: ArchiveAlarm, zone: tzinfo | None = None) -> tuple[str, tuple[Line, ...]]:
    """Return the sentence and the technical lines behind the alarm's banner."""
    lines = [("Found", f"{local(alarm.at_utc_ms, zone):%Y-%m-%d %H:%M:%S}")]
    if alarm.seen_size:
        seen = f"{number_words(alarm.seen_size)} entries, root {alarm.seen_root[:16]}…"
        lines.append(("Seen before", f"{seen}, {local(alarm.seen_at_utc_ms, zone):%H:%M:%S}"))
    if alarm.got_size:
        lines.append(
            ("Shown now", f"{number_words(alarm.got_size)} entries, root {alarm.got_root[:16]}…")
        )
    lines.append(("Code", f"{alarm.kind.value}, {alarm.detail_code}"))
    lines.append(("Compliance", "told" if alarm.told else "will be told when there is a line"))
    return _ALARMS[alarm.kind], tuple(lines)


def _headline(view: ReceiptView) -> tuple[str, str]:
    match view.finding:
        case Finding.VERIFIED if view.own_leaf:
            return "ok", "This message is archived, and this computer checked it"
        case Finding.VERIFIED:
            return "ok", "This message's entry is archived, and this computer checked it"
        case Finding.PENDING:
            return "ink2", "Archived, second check pending"
        case Finding.FAILED:
            return "block", "The archive's proof does not match"
        case Finding.NO_KEYS:
            return "warn", "Not checked: this computer has no key of the archive"
        case Finding.UNREACHABLE:
            return "warn", "Not checked: the archive gave no receipt just now"


def _archived(message: Message, at_utc_ms: int, zone: tzinfo | None) -> str:
    at_utc_ms = at_utc_ms or (message.archive.archived_at_utc_ms if message.archive else 0)
    if not at_utc_ms:
        return "It is delivered once the archive's witnesses have confirmed it"
    sent = message.direction is Direction.OUT and message.state is not DeliveryState.BLOCKED
    before = ", before it was delivered" if sent else ""
    return f"Archived {local(at_utc_ms, zone):%H:%M:%S}{before}"


def _checked(view: ReceiptView, now_utc_ms: int, zone: tzinfo | None) -> str:
    if view.finding is not Finding.VERIFIED:
        return ""
    if now_utc_ms - view.checked_at_utc_ms < MINUTE_MS:
        return "checked just now"
    return f"checked {clock_time(view.checked_at_utc_ms, zone)}"


def _lines(view: ReceiptView, zone: tzinfo | None) -> tuple[Line, ...]:
    lines: list[Line] = []
    if view.justification:
        lines.append(("Sent", f"with a reason: “{view.justification}”"))
    lines.append(("Versions", str(view.versions)))
    if view.kept_until_utc_ms is not None:
        lines.append(("Kept until", _day(view.kept_until_utc_ms, zone)))
    partner = view.partner_confirmed_at_utc_ms
    confirmed = "" if partner is None else f"copy confirmed {local(partner, zone):%H:%M:%S}"
    lines.append(("Partner archive", confirmed or "no copy confirmed yet"))
    lines.append(("Witnesses", f"{view.witnesses_confirmed} of {view.witnesses_total}"))
    return tuple(lines)


def _technical(view: ReceiptView) -> tuple[Line, ...]:
    grown = f"{number_words(view.before_size)} → {number_words(view.tree_size)}"
    since = f"the log only grew ({grown})" if view.before_size else "the first check here"
    if view.before_size == view.tree_size:
        since = "the same tree as before"
    elif view.before_size > view.tree_size:
        since = f"part of the log seen before ({number_words(view.before_size)} entries)"
    policy = (("Policy", _policy(view)),) if view.decided else ()
    source = "built here from what was sent" if view.own_leaf else "given by the service"
    root = base64.b64encode(bytes.fromhex(view.root)).decode()
    return (
        ("Entry", f"{number_words(view.index)} of {number_words(view.tree_size)}"),
        ("Entry's text", source),
        ("Inclusion proof", f"{view.proof_hashes} hashes, valid"),
        ("Log key", view.log_key),
        ("Since the last check", since),
        *policy,
        ("Root", root),
    )


def _policy(view: ReceiptView) -> str:
    """Return which policy decided, and what; its hash stands in the entry that was checked."""
    if not view.policy_version:
        return "decided by your firm's rules; some of them are not shown here"
    decided = _DECIDED.get(view.policy_action, "")
    return f"{view.policy_version}, {decided}" if decided else view.policy_version


def _day(at_utc_ms: int, zone: tzinfo | None) -> str:
    return day_words(at_utc_ms, 0, zone)
