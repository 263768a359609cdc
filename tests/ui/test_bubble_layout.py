"""Bubbles are measured within their rows, once for each width, and their text can be cut apart.

It paints nothing.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QApplication

from contract.states import DeliveryState
from tests.ui.sample_rows import NOW_UTC_MS, sample_timeline, state_timeline
from ui.delegates import bubble_layout
from ui.delegates.bubble_layout import LayoutCache, measure_bubble
from ui.delegates.bubble_text import MeasuredText
from ui.models.message_words import BubbleWords, Setting, bubble_words
from ui.theme.fonts import load_fonts, ui_font

SETTING = Setting("Hana", now_utc_ms=NOW_UTC_MS)


@pytest.fixture(autouse=True)
def faces(qapp: QApplication) -> None:
    load_fonts()


def text_of(text: str, width_px: float = 300) -> MeasuredText:
    return MeasuredText(text, ui_font(13), width_px, 19)


def all_words() -> list[BubbleWords]:
    rows = [*sample_timeline(), *state_timeline()]
    return [bubble_words(row, SETTING) for row in rows]


@pytest.mark.parametrize("width_px", [280, 400, 737, 1600])
@pytest.mark.parametrize("mirrored", [False, True])
def test_everything_stands_within_the_bubble_and_the_row(width_px: int, mirrored: bool) -> None:
    for words in all_words():
        layout = measure_bubble(words, width_px, mirrored)
        row = QRectF(0, 0, width_px, layout.height_px)
        assert row.contains(layout.bubble), words
        for _, rect in (*layout.footer, *layout.files):
            assert layout.bubble.adjusted(-1, -1, 1, 1).contains(rect), words
        text = QRectF(
            layout.text_origin.x(),
            layout.text_origin.y(),
            layout.text.width_px,
            layout.text.height_px,
        )
        if words.text:
            assert layout.bubble.adjusted(-1, -1, 1, 1).contains(text), words
        for _, rect in layout.reactions:
            assert row.contains(rect)


@pytest.mark.parametrize("state", [DeliveryState.BLOCKED, DeliveryState.EXPIRED])
@pytest.mark.parametrize(
    "note",
    [
        "K. Tan: “Bitte die freigegebene Vorlage verwenden und die Zuteilung weglassen.” " * 4,
        "丹：「承認済みのテンプレートを使い、割当の記載を外してください。」" * 6,
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3,
    ],
)
def test_what_a_supervisor_noted_is_shown_whole(note: str, state: DeliveryState) -> None:
    row = next(row for row in state_timeline() if row.message.state is DeliveryState.HELD)
    message = msgspec.structs.replace(row.message, state=state, state_detail=note)
    for width_px in (280, 737):
        layout = measure_bubble(bubble_words(replace(row, message=message), SETTING), width_px)
        words = "".join(part.text for part, _ in layout.footer if not part.act).replace(" ", "")
        assert note.replace(" ", "") in words
        for part, rect in layout.footer:
            assert bubble_layout.part_width(part) <= rect.width() + 1
            assert layout.bubble.adjusted(-1, -1, 1, 1).contains(rect)


def test_own_bubbles_stand_right_unless_mirrored() -> None:
    own, client = all_words()[2], all_words()[1]
    assert measure_bubble(own, 737).bubble.right() == pytest.approx(737 - 28)
    assert measure_bubble(client, 737).bubble.left() == pytest.approx(28)
    assert measure_bubble(own, 737, True).bubble.left() == pytest.approx(28)


def test_a_bubble_is_measured_once_for_each_width(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[float] = []

    def counting(words: BubbleWords, width_px: float, mirrored: bool) -> object:
        measured.append(width_px)
        return measure_bubble(words, width_px, mirrored)

    monkeypatch.setattr(bubble_layout, "measure_bubble", counting)
    cache = LayoutCache(size=2)
    first, second, third = all_words()[:3]
    for _ in range(3):
        cache.layout(first, 400)
        cache.layout(second, 400)
    cache.layout(first, 500)
    cache.layout(third, 500)
    assert measured == [400, 400, 500, 500]


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.data())
def test_slices_join_to_the_whole_text(qapp: QApplication, text: str, data: st.DataObject) -> None:
    measured = text_of(text)
    cut = data.draw(st.integers(0, measured.length()))
    while cut and measured.step(measured.step(cut, False, False), True, False) != cut:
        cut -= 1
    assert measured.slice(0, cut) + measured.slice(cut, measured.length()) == text


def test_steps_never_split_an_emoji() -> None:
    measured = text_of("a👍b")
    assert [measured.step(place, True, False) for place in (0, 1, 3)] == [1, 3, 4]
    assert measured.slice(1, 3) == "👍"


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("Good morning Hana", 6, "morning"),
        ("Good morning Hana", 5, "morning"),
        ("T+2 settlement", 6, "settlement"),
        ("明日の約定確認をお願いします", 4, "約定確認"),
        ("👍 fine", 4, "fine"),
    ],
)
def test_words_under_a_double_click(text: str, place: int, word: str) -> None:
    measured = text_of(text)
    assert measured.slice(*measured.word_at(place)) == word


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.org/a?b=1.", ["https://example.org/a?b=1"]),
        ("👍 (http://example.org/x)", ["http://example.org/x"]),
        ("資料はhttps://example.jp/約定。", ["https://example.jp/約定"]),
        ("javascript://x file:///etc/passwd", []),
    ],
)
def test_links_are_found_without_the_sentence_around_them(text: str, urls: list[str]) -> None:
    measured = text_of(text)
    assert [link.url for link in measured.links] == urls
    for link in measured.links:
        assert measured.slice(link.start, link.end) == link.url


def test_points_find_positions_line_by_line() -> None:
    measured = text_of("first line\nsecond line")
    assert measured.height_px == pytest.approx(38)
    assert measured.position_at(QPointF(-50, -50)) == 0
    assert measured.position_at(QPointF(900, 5)) == len("first line")
    assert measured.position_at(QPointF(900, 900)) == measured.length()
    assert measured.holds(QPointF(5, 25)) and not measured.holds(QPointF(250, 25))


def test_right_to_left_text_hugs_its_own_width() -> None:
    measured = text_of("مرحبا هنا", 400)
    assert measured.width_px < 120
    assert measured.holds(QPointF(measured.width_px / 2, 10))
