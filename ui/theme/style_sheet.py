"""The style sheet of plain widgets, written from the tokens.

It never styles what delegates paint.

Widgets choose a look by a dynamic property, so that object names stay free for naming things:
`kind` on QPushButton / QToolButton (primary, secondary, link, chip, rail, quiet), `banner` on
QFrame (info, warn, block), `card` on QFrame (true), `pane` on QWidget (panel, background, rail),
`look` on QLabel (title, name, body, secondary, meta, section, error), `framed` on QListView (true).
"""

from __future__ import annotations

from string import Template

from ui.theme.tokens import (
    BODY_PX,
    META_PX,
    NAME_PX,
    RADIUS_CARD_PX,
    RADIUS_DIALOG_PX,
    RADIUS_FIELD_PX,
    SECONDARY_PX,
    TITLE_PX,
    Tokens,
)

_GROUNDS = Template("""
QToolTip { color: $ink; background: $panel; border: 1px solid $line; padding: 4px; }
QMainWindow, QWidget[pane="background"] { background: $background; }
QWidget[pane="panel"] { background: $panel; }
QWidget[pane="rail"] { background: $rail; }
QFrame[line="left"] { border: none; border-left: 1px solid $line; }
QFrame[line="right"] { border: none; border-right: 1px solid $line; }
QFrame[line="bottom"] { border: none; border-bottom: 1px solid $line; }
QFrame[line="top"] { border: none; border-top: 1px solid $line; }
QFrame[card="true"] { background: $panel; border: 1px solid $line;
  border-radius: ${radius_card}px; }
QFrame[dialog="true"] { background: $panel; border: 1px solid $line;
  border-radius: ${radius_dialog}px; }
QFrame[banner="info"] { background: $accent_soft; border: none; border-radius: 10px; }
QFrame[banner="warn"] { background: $warn_soft; border: none; border-radius: 10px; }
QFrame[banner="block"] { background: $block_soft; border: none; border-radius: 10px; }
QFrame[banner] QLabel { color: $ink; }
QAbstractScrollArea { border: none; }
QListView, QScrollArea, QAbstractScrollArea > QWidget#qt_scrollarea_viewport > QWidget
  { background: transparent; }
QMenu { background: $panel; color: $ink; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 6px; }
QMenu::item:selected { background: $accent_soft; color: $ink; }
QMenu::item:disabled { color: $ink3; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
""")

_LABELS = Template("""
QLabel { color: $ink; background: transparent; }
QLabel[look="title"] { font-size: ${title}px; font-weight: 600; }
QLabel[look="name"] { font-size: ${name}px; font-weight: 600; }
QLabel[look="strong"] { font-weight: 600; }
QLabel[look="secondary"] { font-size: ${secondary}px; color: $ink2; }
QLabel[look="meta"] { font-size: ${meta}px; color: $ink3; }
QLabel[look="section"] { font-size: ${meta}px; font-weight: 600; color: $ink3; }
QLabel[look="error"] { color: $block; }
QLabel[look="keycap"] { font-size: ${meta}px; color: $ink2; background: $background;
  border: 1px solid $line; border-radius: 4px; padding: 1px 6px; }
""")

_BUTTONS = Template("""
QPushButton[kind="primary"] { color: $on_accent; background: $accent; font-weight: 600;
  border: 2px solid $accent; border-radius: ${radius_field}px; padding: 6px 14px; }
QPushButton[kind="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[kind="primary"]:focus { border-color: $ink; }
QPushButton[kind="primary"]:disabled { color: $ink3; background: $line; border-color: $line; }
QPushButton[kind="secondary"] { color: $ink; background: $panel; font-weight: 600;
  border: 1px solid $line; border-radius: ${radius_field}px; padding: 7px 15px; }
QPushButton[kind="secondary"]:hover { background: $hover; }
QPushButton[kind="secondary"]:focus { border: 2px solid $accent; padding: 6px 14px; }
QPushButton[kind="secondary"]:disabled { color: $ink3; }
QPushButton[kind="link"] { color: $accent; background: transparent; font-weight: 600;
  border: 1px solid transparent; border-radius: 4px; padding: 2px 4px; text-align: left; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { border-color: $accent; }
QPushButton[kind="link"]:disabled { color: $ink3; }
QPushButton[kind="chip"] { color: $ink2; background: $panel; font-size: ${secondary}px;
  border: 1px solid $line; border-radius: 13px; padding: 4px 9px; min-height: 16px; }
QPushButton[kind="chip"]:hover { background: $hover; }
QPushButton[kind="chip"]:checked { color: $accent; background: $accent_soft;
  border-color: $accent_soft; font-weight: 600; }
QPushButton[kind="chip"]:focus { border-color: $accent; }
QPushButton[kind="accent-chip"] { color: $accent; background: $accent_soft; font-weight: 600;
  font-size: ${meta}px; border: 1px solid $accent_soft; border-radius: 9px;
  padding: 1px 8px; min-height: 15px; }
QPushButton[kind="accent-chip"]:hover, QPushButton[kind="accent-chip"]:focus
  { border-color: $accent; }
QPushButton[kind="accent-chip"]::menu-indicator { image: none; width: 0; }
QPushButton[kind="search"] { color: $ink2; background: $background; text-align: left;
  border: 1px solid $line; border-radius: ${radius_field}px; padding: 8px 12px; }
QPushButton[kind="search"]:hover { background: $hover; }
QPushButton[kind="search"]:focus { border-color: $accent; }
QToolButton[kind="quiet"], QPushButton[kind="quiet"] { color: $ink2; background: transparent;
  border: 1px solid transparent; border-radius: 8px; padding: 5px; }
QToolButton[kind="quiet"]:hover, QPushButton[kind="quiet"]:hover { background: $hover; }
QToolButton[kind="quiet"]:focus, QPushButton[kind="quiet"]:focus { border-color: $accent; }
QToolButton[kind="rail"] { background: transparent; border: 2px solid transparent;
  border-radius: 10px; padding: 8px; }
QToolButton[kind="rail"]:hover, QToolButton[kind="rail"]:checked { background: $rail_active; }
QToolButton[kind="rail"]:focus { border-color: $rail_ink; }
""")

_FIELDS = Template("""
QLineEdit, QPlainTextEdit, QTextEdit, QComboBox { color: $ink; background: $panel;
  border: 1px solid $line; border-radius: ${radius_field}px; padding: 7px 11px;
  selection-background-color: $selection; selection-color: $ink; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus
  { border: 1px solid $accent; }
QLineEdit:disabled, QComboBox:disabled { color: $ink2; background: $background; }
QLineEdit[bare="true"], QPlainTextEdit[bare="true"], QTextEdit[bare="true"]
  { border: none; background: transparent; padding: 0; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: $scroll; border-radius: 3px; min-height: 32px;
  margin: 2px; }
QScrollBar::handle:vertical:hover { background: $ink3; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle:horizontal { background: $scroll; border-radius: 3px; min-width: 32px;
  margin: 2px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QStatusBar { background: $panel; color: $ink2; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QStatusBar QLabel { font-size: ${secondary}px; color: $ink2; }
""")


_LISTS = Template("""
QListView[framed="true"], QTableView { background: $panel; border: 1px solid $line;
  border-radius: ${radius_field}px; padding: 3px; outline: none; color: $ink; }
QListView[framed="true"]:focus, QTableView:focus { border-color: $accent; }
QHeaderView { background: $panel; border: none; }
QHeaderView::section { background: $panel; color: $ink3; font-size: ${meta}px; font-weight: 600;
  border: none; border-bottom: 1px solid $line; padding: 6px 8px; }
QAbstractScrollArea::corner, QTableCornerButton::section { background: transparent; border: none; }
""")


def style_sheet(tokens: Tokens) -> str:
    """Return the application's style sheet for one look."""
    values = {name: getattr(tokens, name) for name in Tokens.__dataclass_fields__ if name != "name"}
    values |= {
        "accent_hover": "#93B4FF" if tokens.dark else "#1E4AAB",
        "scroll": "#3A4660" if tokens.dark else "#C9D0DC",
        "body": BODY_PX,
        "secondary": SECONDARY_PX,
        "meta": META_PX,
        "name": NAME_PX,
        "title": TITLE_PX,
        "radius_field": RADIUS_FIELD_PX,
        "radius_card": RADIUS_CARD_PX,
        "radius_dialog": RADIUS_DIALOG_PX,
    }
    return "".join(
        part.substitute(values) for part in (_GROUNDS, _LABELS, _BUTTONS, _FIELDS, _LISTS)
    )
