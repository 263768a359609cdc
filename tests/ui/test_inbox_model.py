"""The inbox model: honest to Qt, never reset, words for eyes and for screen readers.

It uses invented rows and no store.
"""

from __future__ import annotations

from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from app.domain.inbox import InboxRow
from contract.wire import Mode
from tests.ui.sample_rows import HOUR_MS, NOW_UTC_MS, at, inbox_row
from ui.models.inbox_model import InboxModel, InboxRole, key_of
from ui.models.inbox_words import row_words

_MODE = QAbstractItemModelTester.FailureReportingMode.Fatal


def _rows(choice: list[tuple[int, int]]) -> list[InboxRow]:
    return [inbox_row(number, unread=version, version=version) for number, version in choice]


_CHOICES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 3)), unique_by=lambda pair: pair[0], max_size=8
)


@settings(max_examples=40)
@given(st.lists(_CHOICES, min_size=1, max_size=5))
def test_any_succession_of_lists_is_shown_without_a_reset(
    qapp: QApplication, successions: list[list[tuple[int, int]]]
) -> None:
    model = InboxModel(NOW_UTC_MS, UTC)
    tester = QAbstractItemModelTester(model, _MODE)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    for choice in successions:
        rows = _rows(choice)
        model.set_rows(rows)
        rows.sort(key=key_of, reverse=True)
        assert model.rows() == rows
        shown = [model.index(number).data(InboxRole.WORDS).unread for number in range(len(rows))]
        assert shown == [row.conversation.unread_count for row in rows]
    assert not resets
    del tester


def test_a_row_keeps_its_identity_while_it_moves(qapp: QApplication) -> None:
    model = InboxModel(NOW_UTC_MS, UTC)
    model.set_rows([inbox_row(1, at_utc_ms=at(9, 3)), inbox_row(2, at_utc_ms=at(9, 2))])
    model.put([inbox_row(3, at_utc_ms=at(9, 1))])
    mark = QPersistentModelIndex(model.index(2))
    model.put([inbox_row(3, at_utc_ms=at(9, 4), version=2)])
    assert mark.row() == 0
    assert mark.data(InboxRole.CONVERSATION_ID) == "c3"


def test_time_passing_announces_only_rows_that_say_something_else(qapp: QApplication) -> None:
    model = InboxModel(NOW_UTC_MS, UTC)
    closing = inbox_row(2, closes_utc_ms=NOW_UTC_MS + 3 * HOUR_MS)
    model.set_rows([inbox_row(1), closing])
    assert model.words_at(0) is not None
    before = model.words_at(1)
    assert before is not None and before.tags == (("3 h left", "warn"),)
    changed: list[int] = []
    model.dataChanged.connect(lambda first, last: changed.extend((first.row(), last.row())))
    model.set_now(NOW_UTC_MS + 61_000)
    after = model.words_at(1)
    assert after is not None and after.tags == (("2 h left", "warn"),)
    assert changed == [1, 1]


def test_a_screen_reader_hears_one_sentence(qapp: QApplication) -> None:
    model = InboxModel(NOW_UTC_MS, UTC)
    model.set_rows([inbox_row(1, text="明日の約定確認", unread=2, at_utc_ms=at(10, 42))])
    said = model.data(model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Hana Watanabe, WhatsApp, 2 unread, 明日の約定確認, 10:42"
    assert model.data(QModelIndex()) is None


def test_tags_say_what_needs_an_act_first() -> None:
    row = inbox_row(1, draft="Hi", refused=1, mode=Mode.NATIVE, tags=("opted_out",))
    words = row_words(row, NOW_UTC_MS, UTC)
    assert words.tags == (("Not sent", "block"), ("Draft", "neutral"))
    assert words.preview == "Draft: Hi"
    assert words.mark == "failed"
    assert "Opted out" in words.accessible


def test_a_closed_window_says_template_only_but_never_in_native_mode() -> None:
    closed = inbox_row(1, closes_utc_ms=NOW_UTC_MS)
    assert row_words(closed, NOW_UTC_MS, UTC).tags == (("Template only", "warn"),)
    native = inbox_row(1, closes_utc_ms=NOW_UTC_MS, mode=Mode.NATIVE)
    assert row_words(native, NOW_UTC_MS, UTC).tags == (("Native", "neutral"),)


def test_times_get_coarser_with_age() -> None:
    said = [
        row_words(inbox_row(1, at_utc_ms=at(9, 5, days)), NOW_UTC_MS, UTC).when
        for days in (0, 1, 2, 6, 7, 400)
    ]
    assert said == ["09:05", "Yesterday", "Thu", "Sun", "14 Nov", "17 Oct 2025"]
