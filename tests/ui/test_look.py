"""The look itself: contrast, faces, icons, and pictures of both panes in both themes.

It compares no pixels; the pictures are written for people to look at.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QFont, QFontInfo, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from contract.ids import ConversationId
from contract.wire import Channel
from tests.ui.feeds import InboxFeed, StillClock, TimelineFeed, run_now
from tests.ui.sample_rows import sample_inbox, sample_timeline, state_timeline
from ui.models.inbox_presenter import InboxPresenter
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.channels import channel_look
from ui.theme.fonts import BOLD, MEDIUM, REGULAR, Script, families, load_fonts, script_of, ui_font
from ui.theme.icons import application_icon, icon, icon_names, icon_pixmap
from ui.theme.palette import apply_theme
from ui.theme.tokens import AVATAR_COLORS, DARK, LIGHT, Tokens, avatar_color, qcolor
from ui.theme.widgets import Banner, button
from ui.views.inbox_view import InboxView
from ui.views.timeline_view import TimelineView

PICTURES = Path("out") / "ui"
BOTH = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])


def luminance(value: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(value[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2.2, 1 to 21."""
    bright, dim = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@BOTH
@pytest.mark.parametrize(
    ("ink", "grounds"),
    [
        ("ink", ("background", "panel", "own_bubble", "client_bubble", "selection", "highlight")),
        ("ink2", ("background", "panel", "client_bubble", "accent_soft", "hover", "quote")),
        ("ink3", ("background", "panel", "own_bubble", "client_bubble", "accent_soft")),
        ("accent", ("panel", "background", "accent_soft", "own_bubble", "client_bubble")),
        ("ok", ("ok_soft", "own_bubble")),
        ("warn", ("warn_soft", "own_bubble")),
        ("block", ("block_soft", "panel")),
        ("on_accent", ("accent",)),
    ],
)
def test_text_is_readable_on_every_ground(
    tokens: Tokens, ink: str, grounds: tuple[str, ...]
) -> None:
    for ground in grounds:
        ratio = contrast(getattr(tokens, ink), getattr(tokens, ground))
        assert ratio >= 4.5, f"{ink} on {ground}: {ratio:.2f}"


def test_initials_and_badges_are_readable() -> None:
    for ground in AVATAR_COLORS:
        assert contrast("#FFFFFF", ground) >= 3.0, ground
    for channel in Channel:
        look = channel_look(channel)
        assert contrast(look.ink, look.ground) >= 3.0, channel
        assert look.letters
    assert len({channel_look(channel).letters for channel in Channel}) == len(Channel)
    assert avatar_color(len(AVATAR_COLORS)) == avatar_color(0)


def test_inter_is_there_in_three_weights(qapp: QApplication) -> None:
    assert "Inter" in load_fonts()
    widths = []
    for weight in (REGULAR, MEDIUM, BOLD):
        font = ui_font(13, weight)
        assert QFontInfo(font).family().startswith("Inter")
        widths.append(QFontMetricsF(font).horizontalAdvance("Minutes attached"))
    assert widths[0] < widths[1] < widths[2]
    assert ui_font(13).pixelSize() == 13


def test_a_changed_copy_of_a_face_changes_no_other() -> None:
    font = ui_font(13)
    font.setWeight(QFont.Weight.Black)
    assert ui_font(13).weight() == REGULAR


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("hello", Script.JAPANESE),
        ("明日の約定", Script.JAPANESE),
        ("好的，明天上午", Script.CHINESE),
        ("내일 회의", Script.KOREAN),
    ],
)
def test_cjk_faces_follow_the_text(text: str, script: Script) -> None:
    assert script_of(text) is script
    assert families(script)[0] == "Inter"


def test_every_icon_is_drawn_in_the_asked_colour(qapp: QApplication) -> None:
    for name in icon_names():
        image = icon_pixmap(name, "#FF0000", 24, 2.0).toImage()
        assert image.width() == 48
        pixels = [image.pixelColor(x, y) for x in range(48) for y in range(48)]
        assert any(pixel.alpha() > 200 for pixel in pixels), name
    drawn = icon("check", "#FF0000", 20).pixmap(20, 20).toImage()
    solid = [
        drawn.pixelColor(x, y)
        for x in range(drawn.width())
        for y in range(drawn.height())
        if drawn.pixelColor(x, y).alpha() > 250
    ]
    assert solid and all(pixel.red() > 240 and pixel.green() < 15 for pixel in solid)
    assert not application_icon().isNull()


def test_colours_are_shared_and_never_changed(qapp: QApplication) -> None:
    assert qcolor(LIGHT.ink) is qcolor(LIGHT.ink)


@BOTH
def test_a_banner_says_its_words_and_offers_its_acts(
    qapp: QApplication, qtbot: QtBot, tokens: Tokens
) -> None:
    banner = Banner(tokens)
    qtbot.addWidget(banner)
    banner.show_words(
        "info", "Sample workspace.", "Nothing here reaches a client.", (("go", "Go"),)
    )
    assert banner.accessibleName() == "Sample workspace. Nothing here reaches a client."
    link = next(child for child in banner.findChildren(QWidget) if child.accessibleName() == "Go")
    with qtbot.waitSignal(banner.action_triggered) as heard:
        link.click()  # type: ignore[attr-defined]  # found by its accessible name
    assert heard.args == ["go"]
    banner.show_words("block", "Sending is paused.", "", ())
    assert button("Send", "primary").property("kind") == "primary"


def picture(widget: QWidget, name: str, scale: float) -> QImage:
    """Paint a widget at a device pixel ratio and keep the picture."""
    image = QImage(widget.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    painter = QPainter(image)
    widget.render(painter, QPoint())
    painter.end()
    PICTURES.mkdir(parents=True, exist_ok=True)
    image.save(str(PICTURES / f"{name}-{scale:g}x.png"))
    return image


def inks(image: QImage) -> int:
    """Return how many different colours a sample of the picture holds."""
    return len(
        {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    )


@BOTH
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_inbox_is_painted(
    qapp: QApplication, qtbot: QtBot, tokens: Tokens, scale: float
) -> None:
    load_fonts()
    apply_theme(qapp, tokens)
    presenter = InboxPresenter(InboxFeed(sample_inbox()), StillClock(), run_now)
    view = InboxView(presenter, tokens)
    qtbot.addWidget(view)
    view.resize(344, 900)
    presenter.start()
    view.select_conversation(ConversationId("c1"))
    view.show()
    qtbot.waitExposed(view)
    image = picture(view, f"inbox-{tokens.name}", scale)
    presenter.stop()
    assert inks(image) > 100
    assert image.pixelColor(round(320 * scale), round(880 * scale)) == qcolor(tokens.panel)


@BOTH
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_timeline_is_painted(
    qapp: QApplication, qtbot: QtBot, tokens: Tokens, scale: float
) -> None:
    load_fonts()
    apply_theme(qapp, tokens)
    feed = TimelineFeed([*sample_timeline(), *state_timeline()])
    presenter = TimelinePresenter(feed, StillClock(), run_now)
    view = TimelineView(presenter, tokens)
    presenter.setParent(view)
    qtbot.addWidget(view)
    view.resize(737, 1300)
    view.show()
    qtbot.waitExposed(view)
    presenter.model.set_online(False)
    presenter.open(ConversationId("c1"), "Hana Watanabe")
    image = picture(view, f"timeline-{tokens.name}", scale)
    assert inks(image) > 100
    assert image.pixelColor(round(5 * scale), round(5 * scale)) == qcolor(tokens.background)
