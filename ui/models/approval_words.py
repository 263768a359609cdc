"""Puts a held message into words: for a row of the queue, and for the supervisor who reads it.

It never decides anything, and it reads no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from contract.supervision import Approval
from contract.wire import Attachment
from ui.models.findings import Underline, utf16_offset
from ui.models.message_words import size_words
from ui.models.times import day_words, row_time, span_left
from ui.theme.channels import channel_name

_SEVERITIES = {"block": "block", "hint": "hint"}


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """What a row says; `expiring` is empty until the time runs short."""

    title: str
    author: str
    preview: str
    when: str
    expiring: str
    accessible: str


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding as the supervisor reads it."""

    severity: str
    headline: str
    detail: str
    why: str


@dataclass(frozen=True, slots=True)
class ApprovalDetail:
    """Everything a supervisor reads before deciding."""

    approval_id: str
    title: str
    line: str
    text: str
    underlines: tuple[Underline, ...]
    files: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    reason: str
    author: str


_EXPIRING_MS = 4 * 3_600_000


def approval_row(approval: Approval, now_utc_ms: int, zone: tzinfo | None = None) -> ApprovalRow:
    """Return what the row of a held message says at `now_utc_ms`."""
    left_ms = approval.expires_at_utc_ms - now_utc_ms
    expiring = span_left(left_ms) if 0 < left_ms < _EXPIRING_MS else ""
    preview = " ".join(approval.text.split()) or ", ".join(f.name for f in approval.attachments)
    when = row_time(approval.held_at_utc_ms, now_utc_ms, zone)
    said = (
        f"{approval.author_name} to {approval.title}, {channel_name(approval.channel)}",
        preview,
        f"asked {when}",
        expiring,
    )
    return ApprovalRow(
        title=approval.title,
        author=approval.author_name,
        preview=preview,
        when=when,
        expiring=expiring,
        accessible=", ".join(part for part in said if part),
    )


def approval_detail(
    approval: Approval, now_utc_ms: int, zone: tzinfo | None = None
) -> ApprovalDetail:
    """Return what the open held message says at `now_utc_ms`."""
    names = {file.sha256: file.name for file in approval.attachments}
    asked = _moment(approval.held_at_utc_ms, now_utc_ms, zone)
    ends = _moment(approval.expires_at_utc_ms, now_utc_ms, zone)
    return ApprovalDetail(
        approval_id=approval.approval_id,
        title=f"{approval.author_name} to {approval.title}",
        line=f"{channel_name(approval.channel)} · asked {asked} · expires {ends}",
        text=approval.text,
        underlines=tuple(
            Underline(
                utf16_offset(approval.text, finding.start),
                utf16_offset(approval.text, finding.end),
                _SEVERITIES.get(finding.action, "warn"),
            )
            for finding in approval.findings
            if finding.end > finding.start and not finding.attachment
        ),
        files=tuple(_file(file) for file in approval.attachments),
        findings=tuple(
            FindingLine(
                severity=_SEVERITIES.get(finding.action, "warn"),
                headline=_headline(finding.message, names.get(finding.attachment, "")),
                detail=finding.detail,
                why=" · ".join(part for part in (finding.why, f"Rule {finding.rule_id}") if part),
            )
            for finding in approval.findings
        ),
        reason=approval.justification,
        author=approval.author_name,
    )


def _headline(message: str, file: str) -> str:
    return f"{message} in “{file}”" if file else message


def _file(file: Attachment) -> str:
    return f"{file.name} · {size_words(file.size_bytes)}"


def _moment(at_utc_ms: int, now_utc_ms: int, zone: tzinfo | None) -> str:
    """Return `10:38` for today, else the day as well, also for days to come."""
    at = row_time(at_utc_ms, at_utc_ms, zone)
    day = day_words(at_utc_ms, now_utc_ms, zone)
    return at if day == "Today" else f"{day} {at}"
