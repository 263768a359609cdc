"""Tests of the sentences on banners, status line and composer. They never use Qt's screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import msgspec
import pytest

from app.domain import errors
from app.domain.archive import AlarmKind, ArchiveAlarm
from app.domain.drafts import CheckedDraft
from app.domain.errors import AppError
from app.domain.status import CoreStatus, Link
from contract.policy.model import Action
from contract.wire import Channel, ConsentStatus, Mode
from tests.ui.kit import CARD, conversation, decide, hana
from tests.ui.sample_rows import HOUR_MS, NOW_UTC_MS
from ui.models.findings import utf16_offset, verdict
from ui.models.sendability import Gate, sendability
from ui.models.sentences import known_keys, sentence
from ui.models.status_words import banners, status_words


def _texts(status: CoreStatus, dismissed: frozenset[str] = frozenset()) -> list[str]:
    return [f"{one.lead} {one.text}".strip() for one in banners(status, dismissed, UTC)]


def test_the_sample_workspace_always_says_so() -> None:
    said = "Sample workspace. Nothing here reaches a client."
    for link in Link:
        assert _texts(CoreStatus(link=link, workspace="sample"))[-1] == said
    assert _texts(CoreStatus(link=Link.ONLINE, workspace="firm")) == []


def test_a_long_filling_in_can_be_paused_and_says_so() -> None:
    status = CoreStatus(
        link=Link.ONLINE, syncing=True, synced_messages=12_400, total_messages=1_000_000
    )
    assert _texts(status) == [
        "Your history is coming in. Start working: the newest is here, and a conversation you open"
        " comes first."
    ]
    assert banners(status)[0].actions == (("pause_history", "Pause"),)
    assert status_words(status).link == "Reading messages · 12,400 of 1,000,000"
    paused = replace(status, sync_paused=True)
    assert banners(paused)[0].actions == (("go_on_with_history", "Go on"),)
    assert status_words(paused).link == "Paused · 12,400 of 1,000,000"
    assert _texts(replace(status, total_messages=900)) == []


def test_offline_says_since_when_and_what_waits() -> None:
    status = CoreStatus(link=Link.OFFLINE, since_utc_ms=NOW_UTC_MS, outbox_waiting=2)
    assert _texts(status) == [
        "Offline since 10:43. You can go on writing; 2 messages will be sent when the connection "
        "is back."
    ]
    assert status_words(status, UTC).link == "Offline since 10:43"
    assert status_words(status, UTC).outbox == "Outbox: 2 waiting"


def test_a_restart_says_that_nothing_is_lost() -> None:
    assert "Nothing is lost." in _texts(CoreStatus(link=Link.RESTARTING))[0]


def test_a_notice_goes_once_it_is_understood() -> None:
    key = "notice.outbox_partly_read"
    status = CoreStatus(link=Link.ONLINE, notices=((key, "2 of 5"),))
    (shown,) = banners(status)
    assert "2 of 5" in shown.text
    assert shown.actions == ((f"dismiss:{key}", "Understood"),)
    assert _texts(status, frozenset({key})) == []


def test_the_status_line_claims_no_verification_that_did_not_happen() -> None:
    status = CoreStatus(
        link=Link.ONLINE, latency_ms=18.4, policy_version="2026.11.3", last_archived_utc_ms=1000
    )
    words = status_words(status, UTC)
    assert (words.link, words.policy) == ("Connected · 18 ms", "Policy 2026.11.3")
    assert words.archive == "Last archived 00:00:01"
    assert "Archive verified" not in repr(words)


def test_the_status_line_says_when_a_proof_was_verified() -> None:
    status = CoreStatus(link=Link.ONLINE, last_archived_utc_ms=1000, archive_verified_utc_ms=7000)
    assert status_words(status, UTC).archive == "Archive verified 00:00:07"


def test_the_archives_alarm_says_what_is_paused_and_that_drafts_are_safe() -> None:
    alarm = ArchiveAlarm(
        AlarmKind.FORK, "log_forked", NOW_UTC_MS, seen_at_utc_ms=NOW_UTC_MS, seen_size=9, told=True
    )
    said = (
        "Sending is paused. The archive’s proof does not match what this computer saw at 10:43. "
        "Compliance has been told. Your drafts are safe."
    )
    status = CoreStatus(link=Link.OFFLINE, archive_alarm=alarm, archive_verified_utc_ms=7000)
    first = banners(status, zone=UTC)[0]
    assert (f"{first.lead} {first.text}", first.tone) == (said, "block")
    assert first.actions == (("archive_alarm", "Details"),)
    assert "verified 00:00:07" not in status_words(status, UTC).archive
    untold = CoreStatus(archive_alarm=replace(alarm, told=False))
    assert "will be told as soon as" in banners(untold, zone=UTC)[0].text


@pytest.mark.parametrize(
    "kind",
    [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, AppError)],
)
def test_every_error_has_a_sentence(kind: type[AppError]) -> None:
    assert kind.user_message_key in known_keys()
    assert sentence(kind.user_message_key).endswith(".")


def test_an_open_window_counts_down() -> None:
    facts = sendability(conversation(), [hana()], NOW_UTC_MS)
    assert (facts.gate, facts.window_text) == (Gate.OPEN, "WhatsApp window closes in 23 h")


@pytest.mark.parametrize(
    ("left_ms", "words"),
    [
        (23 * HOUR_MS + 59 * 60_000, "23 h"),
        (3 * HOUR_MS + 12 * 60_000 + 5, "3 h 12 min"),
        (59 * 60_000 + 59_999, "59 min"),
        (4 * 60_000 + 32_000, "4 min 32 s"),
        (31_999, "31 s"),
        (1, "1 s"),
    ],
)
def test_a_window_counts_down_to_its_last_second(left_ms: int, words: str) -> None:
    facts = sendability(conversation(closes_in_ms=left_ms), [hana()], NOW_UTC_MS)
    assert facts.window_text == f"WhatsApp window closes in {words}"
    assert facts.changes_in_ms is not None
    later = sendability(
        conversation(closes_in_ms=left_ms), [hana()], NOW_UTC_MS + facts.changes_in_ms
    )
    assert later.window_text != facts.window_text or later.gate is Gate.WINDOW_CLOSED


def test_wechat_says_how_many_messages_are_left_and_closes_after_the_fifth() -> None:
    talk = msgspec.structs.replace(
        conversation(closes_in_ms=47 * HOUR_MS), channel=Channel.WECHAT, window_messages_left=2
    )
    facts = sendability(talk, [hana()], NOW_UTC_MS)
    assert facts.window_text == "2 of 5 messages left · WeChat window closes in 47 h"
    spent = msgspec.structs.replace(talk, window_messages_left=0)
    closed = sendability(spent, [hana()], NOW_UTC_MS)
    assert closed.gate is Gate.WINDOW_CLOSED and closed.templates
    assert "templates only" in closed.note


def test_a_closed_window_says_when_the_client_last_wrote() -> None:
    facts = sendability(conversation(closes_in_ms=-2 * HOUR_MS), [hana()], NOW_UTC_MS)
    assert facts.gate is Gate.WINDOW_CLOSED
    assert facts.note.startswith("Hana last wrote 26 hours ago. WhatsApp now takes templates only.")


def test_native_and_opted_out_conversations_take_no_text() -> None:
    native = sendability(conversation(mode=Mode.NATIVE), [hana()], NOW_UTC_MS)
    assert (native.gate, native.writable) == (Gate.NATIVE, False)
    gone = sendability(conversation(), [hana(ConsentStatus.OPTED_OUT)], NOW_UTC_MS)
    assert (gone.gate, gone.writable) == (Gate.OPTED_OUT, False)
    assert "Hana" in gone.note


@pytest.mark.parametrize(
    ("text", "code_points", "units"),
    [("abc", 2, 2), ("a😀b", 2, 3), ("😀😀", 2, 4), ("約定", 1, 1)],
)
def test_code_points_become_utf16_units(text: str, code_points: int, units: int) -> None:
    assert utf16_offset(text, code_points) == units


def test_findings_stand_most_severe_first_with_their_places() -> None:
    text = f"😀 {CARD} guaranteed"
    decision = decide(CheckedDraft(conversation().conversation_id, text))
    assert decision is not None
    found = verdict(decision, text)
    assert [row.severity for row in found.rows] == ["block", "warn"]
    assert (found.rows[0].start, found.rows[0].end) == (3, 3 + len(CARD))
    assert (found.to_mend, found.needs_reason) == (1, True)
    assert "once the rest is mended" in found.rows[1].detail
    assert Action.BLOCK.rank > Action.JUSTIFY.rank
