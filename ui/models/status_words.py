"""Puts the core's state into the words of the banners and of the status bar.

It never claims more than was done: verified is what this computer has verified itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from app.domain.status import CoreStatus, Link
from ui.models.banner_words import BannerWords as BannerWords
from ui.models.channel_words import channel_banners
from ui.models.sentences import sentence
from ui.models.times import clock_time, local

SAMPLE_WORKSPACE = "sample"


@dataclass(frozen=True, slots=True)
class StatusWords:
    """The status bar from left to right; `tone` colours the dot before `link`."""

    tone: str
    link: str
    outbox: str
    policy: str
    archive: str


ALARM_DETAILS = "archive_alarm"
PAUSE_HISTORY = "pause_history"
GO_ON_WITH_HISTORY = "go_on_with_history"
# What takes longer than a glance is worth a strip, and a way to stop it.
_MUCH_HISTORY = 20_000
_DIAGNOSTICS = (("diagnostics", "Diagnostics"),)
_NOTICE_ACTIONS = {
    "notice.disk_full": (("retry", "Try again"),),
    "notice.keyring": _DIAGNOSTICS,
}


def banners(
    status: CoreStatus,
    dismissed: frozenset[str] = frozenset(),
    zone: tzinfo | None = None,
    now_utc_ms: int = 0,
) -> tuple[BannerWords, ...]:
    """Return the strips to show, most pressing first; the sample workspace's one is always last.

    `dismissed` holds keys of notices the user has read; others can't be dismissed. Without a
    connection nobody knows how the channels are.
    """
    pressing = (_alarm_banner(status, zone), _link_banner(status, zone))
    found = [strip for strip in pressing if strip is not None]
    if status.link is Link.ONLINE:
        found += channel_banners(status.troubles, now_utc_ms, zone)
    if status.syncing and status.total_messages >= _MUCH_HISTORY:
        found.append(_history_banner(status.sync_paused))
    for key, detail in status.notices:
        if key not in dismissed:
            actions = _NOTICE_ACTIONS.get(key, ((f"dismiss:{key}", "Understood"),))
            found.append(BannerWords(key, "warn", "", sentence(key, detail), actions))
    if status.workspace == SAMPLE_WORKSPACE:
        found.append(
            BannerWords(
                "sample",
                "info",
                "Sample workspace.",
                "Nothing here reaches a client.",
                (("connect", "Connect to my firm…"),),
            )
        )
    return tuple(found)


def status_words(status: CoreStatus, zone: tzinfo | None = None) -> StatusWords:
    """Return what the status bar says."""
    archived = ""
    if status.archive_alarm is not None:
        archived = f"Archive not verified {clock_time(status.archive_alarm.at_utc_ms, zone)}"
    elif status.archive_verified_utc_ms > 0:
        archived = f"Archive verified {local(status.archive_verified_utc_ms, zone):%H:%M:%S}"
    elif status.last_archived_utc_ms > 0:
        archived = f"Last archived {local(status.last_archived_utc_ms, zone):%H:%M:%S}"
    return StatusWords(
        tone="ok" if status.link is Link.ONLINE else "warn",
        link=_link(status, zone),
        outbox=_outbox(status),
        policy=f"Policy {status.policy_version}" if status.policy_version else "No policy yet",
        archive=archived,
    )


def _alarm_banner(status: CoreStatus, zone: tzinfo | None) -> BannerWords | None:
    alarm = status.archive_alarm
    if alarm is None:
        return None
    seen = f"what this computer saw at {clock_time(alarm.seen_at_utc_ms, zone)}"
    if not alarm.seen_at_utc_ms:
        seen = "the keys this computer trusts"
    told = "has been told" if alarm.told else "will be told as soon as there is a connection"
    text = f"The archive’s proof does not match {seen}. Compliance {told}. Your drafts are safe."
    actions = ((ALARM_DETAILS, "Details"),)
    return BannerWords("archive_alarm", "block", "Sending is paused.", text, actions)


def _history_banner(paused: bool) -> BannerWords:
    """Say that history is filled in; the quieter status line tells how far it came."""
    if paused:
        text = "New messages come in as always; older ones wait until you go on."
        actions = ((GO_ON_WITH_HISTORY, "Go on"),)
        return BannerWords("history", "info", "Your history is paused.", text, actions)
    text = "Start working: the newest is here, and a conversation you open comes first."
    actions = ((PAUSE_HISTORY, "Pause"),)
    return BannerWords("history", "info", "Your history is coming in.", text, actions)


def _link_banner(status: CoreStatus, zone: tzinfo | None) -> BannerWords | None:
    if status.link is Link.OFFLINE:
        count = status.outbox_waiting
        what = {0: "new messages", 1: "1 message"}.get(count, f"{count} messages")
        since = f"Offline since {clock_time(status.since_utc_ms, zone)}."
        text = f"You can go on writing; {what} will be sent when the connection is back."
        return BannerWords("offline", "warn", since, text, _DIAGNOSTICS)
    if status.link is Link.RESTARTING:
        text = (
            "Parley's service on this computer stopped and is being started again. Nothing is lost."
        )
        return BannerWords("restarting", "warn", "", text, _DIAGNOSTICS)
    if status.link is Link.REFUSED:
        text = "The service does not take this sign-in or version. Your drafts are kept."
        return BannerWords("refused", "block", "Not connected.", text, _DIAGNOSTICS)
    return None


def _link(status: CoreStatus, zone: tzinfo | None) -> str:
    if status.link is Link.ONLINE and status.syncing and status.total_messages:
        what = "Paused" if status.sync_paused else "Reading messages"
        return f"{what} · {status.synced_messages:,} of {status.total_messages:,}"
    if status.link is Link.ONLINE:
        ms = round(status.latency_ms)
        return f"Connected · {max(1, ms)} ms" if status.latency_ms > 0 else "Connected"
    words = {
        Link.STARTING: "Connecting…",
        Link.RESTARTING: "Starting the service again…",
        Link.REFUSED: "Not connected",
    }
    return words.get(status.link) or f"Offline since {clock_time(status.since_utc_ms, zone)}"


def _outbox(status: CoreStatus) -> str:
    parts = []
    if status.outbox_waiting:
        parts.append(f"{status.outbox_waiting} waiting")
    if status.outbox_refused:
        parts.append(f"{status.outbox_refused} not sent")
    return "Outbox: " + ", ".join(parts) if parts else "Outbox empty"
