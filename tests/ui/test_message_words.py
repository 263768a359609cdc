"""What bubbles say in each state, for eyes and for screen readers.

It needs no Qt.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from app.domain.timeline import TimelineRow
from contract.ids import MessageId
from contract.states import DeliveryState, OutboxState
from contract.wire import MessageKind, Quote
from tests.ui.sample_rows import (
    NOW_UTC_MS,
    at,
    message,
    outbox_row,
    sample_timeline,
    state_timeline,
    timeline_row,
)
from ui.models.message_words import RECEIPT, Setting, accessible_words, bubble_words, short_name

SETTING = Setting("Hana", now_utc_ms=NOW_UTC_MS, zone=UTC)


def footer(row: TimelineRow, setting: Setting = SETTING) -> str:
    return " · ".join(part.text for part in bubble_words(row, setting).footer)


@pytest.mark.parametrize("state", list(DeliveryState))
def test_every_delivery_state_is_said_in_words(state: DeliveryState) -> None:
    row = TimelineRow(message(1, out=True, state=state, archive=7))
    words = bubble_words(row, SETTING)
    said = " ".join(part.text for part in (*words.footer, *words.below))
    assert len(said.split()) >= 2
    assert state.value not in said.split() or state is DeliveryState.QUEUED


@pytest.mark.parametrize("state", list(OutboxState))
def test_every_outbox_state_is_said_in_words(state: OutboxState) -> None:
    assert footer(outbox_row(1, "Hello", state))


def test_the_green_seal_stands_only_on_what_this_computer_verified() -> None:
    sent = message(1, out=True, state=DeliveryState.SENT, archive=7)
    (seal, *_) = bubble_words(TimelineRow(sent, verified=True), SETTING).footer
    assert (seal.text, seal.tone, seal.bold) == ("Archived #7", "ok", True)
    (seal, *_) = bubble_words(TimelineRow(sent), SETTING).footer
    assert (seal.text, seal.tone, seal.bold, seal.act) == ("Archived #7", "ink2", False, RECEIPT)


def test_a_taken_message_waits_for_its_second_check_in_words() -> None:
    taken = outbox_row(1, "Hello", OutboxState.ACCEPTED)
    assert footer(taken).startswith("Archived, second check pending · ")
    late = TimelineRow(message(1, out=True, state=DeliveryState.ARCHIVED), taken.outbox)
    assert footer(late).startswith("Archived, second check pending · ")
    assert "Archived #" not in footer(
        TimelineRow(message(1, out=True, state=DeliveryState.SENT, archive=7), taken.outbox)
    )
    paused = replace(SETTING, paused=True)
    assert footer(taken, paused).startswith("Not confirmed by the archive")
    assert footer(outbox_row(1, "Hi", OutboxState.QUEUED), paused).startswith("Sending is paused")


def test_archived_is_never_said_without_an_archive_entry() -> None:
    for state in DeliveryState:
        assert "Archived #" not in footer(TimelineRow(message(1, out=True, state=state)))


def test_the_drawn_states_say_what_was_drawn() -> None:
    said = [
        footer(row, Setting("Hana", online=False, now_utc_ms=NOW_UTC_MS, zone=UTC))
        for row in state_timeline()
    ]
    assert said[0] == "Archived #48\u202f219 · Sent · 10:38"
    assert said[1] == "Waiting for approval · asked 10:38"
    assert said[2] == "We can’t tell whether Hana got this"
    assert said[3].endswith("Not delivered · number not on WhatsApp · 10:39 · Edit")
    assert said[5] == "edited 10:52 · 2 versions archived"
    assert said[9] == "Waiting for the connection · 10:42 · Cancel"
    assert said[10] == "Not sent · K. Tan: “use the template” · Edit"
    assert said[11] == "Undo · sending in 4 s"


def test_undo_counts_whole_seconds_down_to_none() -> None:
    row = outbox_row(1, "Hi", OutboxState.UNDO, undo_until_utc_ms=NOW_UTC_MS + 1001)
    assert footer(row).endswith("sending in 2 s")
    late = Setting("Hana", now_utc_ms=NOW_UTC_MS + 5000, zone=UTC)
    assert footer(row, late).endswith("sending in 0 s")


def test_unknown_offers_to_ask_and_to_send_again() -> None:
    words = bubble_words(state_timeline()[2], SETTING)
    assert [part.text for part in words.below] == [
        "Sending again may repeat it.",
        "Ask Hana",
        "Send again…",
    ]


def test_deleted_text_is_not_shown_but_said_to_be_archived() -> None:
    row = TimelineRow(message(1, "secret", deleted=True))
    words = bubble_words(row, SETTING)
    assert words.text == "Hana deleted this message. It stays in the archive."
    assert "secret" not in accessible_words(row, SETTING)


def test_a_screen_reader_hears_who_text_files_and_state() -> None:
    said = accessible_words(sample_timeline()[2], SETTING)
    assert said.startswith("You, Good morning Hana-san")
    assert "file Indicative terms – JPY 2031.pdf, 412 KB" in said
    assert "Archived #48\u202f218 Read 10:38" in said
    quoted = accessible_words(sample_timeline()[3], SETTING)
    assert quoted.startswith("Hana Watanabe, answering You: Indicative terms")


def test_groups_name_the_author_of_each_client_message() -> None:
    group = Setting("Ardent", True, now_utc_ms=NOW_UTC_MS, zone=UTC)
    assert bubble_words(timeline_row(1), group).author == "Hana Watanabe"
    assert bubble_words(timeline_row(1, out=True), group).author == ""


def test_a_colleague_is_named_and_the_user_is_you() -> None:
    me = Setting("Hana", me_id="e1", me_name="Elena Marchetti", zone=UTC)
    colleague = Setting("Hana", me_id="e2", me_name="Ken Tan", zone=UTC)
    own = timeline_row(1, out=True)
    assert bubble_words(own, me).author == ""
    assert bubble_words(own, colleague).author == "Elena Marchetti"
    assert accessible_words(own, me).startswith("You, ")
    assert accessible_words(own, colleague).startswith("Elena Marchetti, ")
    quote = Quote(message_id=MessageId("m1"), author_name="Elena Marchetti", text="x")
    answer = TimelineRow(message(2, quote=quote))
    assert bubble_words(answer, me).quote == ("You", "x")
    assert bubble_words(answer, colleague).quote == ("Elena Marchetti", "x")


def test_unsupported_kinds_are_named_when_short() -> None:
    poll = TimelineRow(message(1, "a poll", kind=MessageKind.UNSUPPORTED, at_utc_ms=at(9, 0)))
    words = bubble_words(poll, SETTING)
    assert words.text == (
        "Hana sent something Parley can’t show yet (a poll). It is archived as received."
    )
    assert words.dashed


def test_short_names() -> None:
    assert short_name("Hana Watanabe") == "Hana"
    assert short_name("Tomás Silva") == "Tomás"
    assert short_name("Li Wei 李伟") == "Li"
    assert short_name("李伟") == "李伟"
    assert short_name("渡辺 花") == "渡辺 花"
    assert short_name("") == "the client"
