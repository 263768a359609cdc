"""Turns tokens into the application's palette, face and style sheet.

It never keeps which look is current: the caller does.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from ui.theme.fonts import ui_font
from ui.theme.style_sheet import style_sheet
from ui.theme.tokens import BODY_PX, Tokens


def palette(tokens: Tokens) -> QPalette:
    """Return Qt's palette for one look."""
    role = QPalette.ColorRole
    result = QPalette()
    colors = {
        role.Window: tokens.background,
        role.WindowText: tokens.ink,
        role.Base: tokens.panel,
        role.AlternateBase: tokens.background,
        role.Text: tokens.ink,
        role.PlaceholderText: tokens.ink3,
        role.Button: tokens.panel,
        role.ButtonText: tokens.ink,
        role.BrightText: tokens.block,
        role.ToolTipBase: tokens.panel,
        role.ToolTipText: tokens.ink,
        role.Highlight: tokens.selection,
        role.HighlightedText: tokens.ink,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.Mid: tokens.line,
        role.Midlight: tokens.line,
        role.Accent: tokens.accent,
    }
    for color_role, value in colors.items():
        result.setColor(color_role, QColor(value))
    for color_role in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, color_role, QColor(tokens.ink3))
    return result


def apply_theme(app: QApplication, tokens: Tokens) -> None:
    """Give the whole application one look; call again to change it while running.

    Views that paint themselves (inbox, timeline) take the tokens by their `set_tokens`.
    """
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    app.setFont(ui_font(BODY_PX))
    app.setPalette(palette(tokens))
    app.setStyleSheet(style_sheet(tokens))
