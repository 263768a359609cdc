"""The design tokens: colours of the light and dark look, sizes, radii and spacing.

It never touches Qt's state; palette.py turns tokens into a look.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtGui import QColor

BODY_PX = 13
SECONDARY_PX = 12
META_PX = 11
NAME_PX = 15
TITLE_PX = 19

SPACE_PX = 4

RADIUS_CHIP_PX = 6
RADIUS_FIELD_PX = 10
RADIUS_CARD_PX = 14
RADIUS_DIALOG_PX = 16

RAIL_WIDTH_PX = 64
LIST_WIDTH_PX = 344
DETAILS_WIDTH_PX = 296
STATUS_HEIGHT_PX = 26

# Contact.color and Conversation.color index this tuple.
AVATAR_COLORS: tuple[str, ...] = (
    "#D2700B",
    "#2F6FDE",
    "#0E9A6B",
    "#8057EE",
    "#D91F72",
    "#0A86A8",
    "#AE5310",
    "#475569",
    "#15933F",
    "#D62828",
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One look; every colour is `#RRGGBB`. Soft colours are grounds for the strong one."""

    name: str
    dark: bool
    background: str
    panel: str
    rail: str
    rail_active: str
    rail_ink: str
    ink: str
    ink2: str
    ink3: str
    line: str
    accent: str
    accent_soft: str
    on_accent: str
    hover: str
    own_bubble: str
    client_bubble: str
    quote: str
    ok: str
    ok_soft: str
    warn: str
    warn_soft: str
    block: str
    block_soft: str
    badge: str
    highlight: str
    selection: str


# Ink 3 is darker (light) and lighter (dark) than in the first pictures: times and archive
# references carry meaning, so they keep 4.5 : 1 on the grounds they stand on.
LIGHT = Tokens(
    name="light",
    dark=False,
    background="#F6F7F9",
    panel="#FFFFFF",
    rail="#16202E",
    rail_active="#26364E",
    rail_ink="#B4BFCE",
    ink="#18212F",
    ink2="#55617A",
    ink3="#5F6A80",
    line="#E4E8EF",
    accent="#2457C5",
    accent_soft="#E8EEFB",
    on_accent="#FFFFFF",
    hover="#F1F4F9",
    own_bubble="#E3ECFD",
    client_bubble="#FFFFFF",
    quote="#F1F3F7",
    ok="#167044",
    ok_soft="#E1F4EA",
    warn="#8F5500",
    warn_soft="#FFF4DF",
    block="#C0342B",
    block_soft="#FDECEA",
    badge="#E5484D",
    highlight="#FFEFC2",
    selection="#B9CFF8",
)

DARK = Tokens(
    name="dark",
    dark=True,
    background="#10151D",
    panel="#171E28",
    rail="#0B0F15",
    rail_active="#1F2C42",
    rail_ink="#A3AEC0",
    ink="#E8ECF3",
    ink2="#A3AEC0",
    ink3="#94A0B4",
    line="#263041",
    accent="#7AA2FF",
    accent_soft="#1D2B47",
    on_accent="#0B1526",
    hover="#1C2431",
    own_bubble="#1F3358",
    client_bubble="#1C2532",
    quote="#263041",
    ok="#4CC38A",
    ok_soft="#163226",
    warn="#F0B34A",
    warn_soft="#33280F",
    block="#FF7A70",
    block_soft="#3A1B19",
    badge="#E5484D",
    highlight="#453C1E",
    selection="#3A5FA8",
)


@lru_cache(maxsize=256)
def qcolor(value: str) -> QColor:
    """Return the QColor of `#RRGGBB`; the same object each time, so never change it."""
    return QColor(value)


def avatar_color(index: int) -> str:
    """Return the avatar ground for a contact's or conversation's colour index (any integer)."""
    return AVATAR_COLORS[index % len(AVATAR_COLORS)]


def tokens_for(dark: bool) -> Tokens:
    """Return the look for the wanted darkness."""
    return DARK if dark else LIGHT
