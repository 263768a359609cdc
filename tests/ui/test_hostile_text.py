"""What clients write is shown as written: no tool tip takes it for markup, no link hides where
it leads.

It uses invented names and opens nothing.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication

from tests.ui.sample_rows import NOW_UTC_MS, inbox_row
from ui.delegates.bubble_text import MeasuredText
from ui.models.inbox_model import InboxModel
from ui.models.link_words import link_words
from ui.theme.fonts import load_fonts, ui_font
from ui.theme.tool_tips import plain_tip
from ui.theme.widgets import ElidedLabel

HOSTILE = "<img src='file://10.0.0.1/share/x.png'>&amp; <b>Parley</b>: all well\nnext"


def shown_by(tip: str) -> str:
    """Return what a tool tip shows, which takes for rich text whatever begins with a tag."""
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


def test_a_tool_tip_shows_markup_as_it_was_written(qapp: QApplication) -> None:
    assert shown_by(plain_tip(HOSTILE)) == HOSTILE
    assert plain_tip("Hana & Söhne") == "Hana & Söhne"


def test_names_become_tool_tips_without_markup(qapp: QApplication) -> None:
    label = ElidedLabel(HOSTILE)
    label.resize(20, 20)
    label._elide()
    assert shown_by(label.toolTip()) == HOSTILE
    row = inbox_row(1)
    row = dataclasses.replace(
        row, conversation=msgspec.structs.replace(row.conversation, title=HOSTILE)
    )
    model = InboxModel(NOW_UTC_MS, UTC)
    model.set_rows([row])
    assert shown_by(model.index(0).data(Qt.ItemDataRole.ToolTipRole)) == HOSTILE


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://bank.example/\u202egpj.exe", ""),
        ("see https://bank.example/a\u200bb", "https://bank.example/a"),
        ("https://bank.example\u2066.evil.example", "https://bank.example"),
    ],
)
def test_a_link_ends_where_something_hides(qapp: QApplication, text: str, url: str) -> None:
    load_fonts()
    links = MeasuredText(text, ui_font(13), 400, 19).links
    assert [link.url for link in links] == ([url] if url else ["https://bank.example/"])


def test_a_link_says_the_host_it_leads_to() -> None:
    assert "opens evil.example in" in link_words("https://bank.example@evil.example/x")
    assert "opens xn--bnk-6cd.example in" in link_words("https://b\u0430nk.example/")
    assert link_words("https://bank.example/p%C3%A4th?q=ü").endswith("/p%C3%A4th?q=%C3%BC")
    for unreadable in ("https://[bank", "file:///etc/passwd", "javascript:alert(1)", "https://"):
        assert link_words(unreadable) == ""
