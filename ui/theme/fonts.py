"""The typefaces: Inter from our resources with the system's CJK and emoji faces behind it.

It never decides where a size is used.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase

import resources

# The instances are drawn at 400, 550 and 650; Qt finds them under its own three names.
REGULAR = QFont.Weight.Normal
MEDIUM = QFont.Weight.Medium
BOLD = QFont.Weight.DemiBold

_FILES = ("Inter-Regular.ttf", "Inter-Medium.ttf", "Inter-SemiBold.ttf")
_JAPANESE = ("Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI", "Meiryo UI")
_CHINESE = ("Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei UI")
_KOREAN = ("Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic")
_EMOJI = ("Noto Color Emoji", "Apple Color Emoji", "Segoe UI Emoji")


class Script(Enum):
    """Which CJK faces come first; Han characters are drawn differently in each."""

    JAPANESE = "ja"
    CHINESE = "zh"
    KOREAN = "ko"


def load_fonts() -> tuple[str, ...]:
    """Register Inter with Qt and return the families found (empty: the system's face is used).

    Call once after the application object exists; calling again does no harm.
    """
    folder = Path(resources.__file__).parent / "fonts"
    families: list[str] = []
    for name in _FILES:
        font_id = QFontDatabase.addApplicationFont(str(folder / name))
        if font_id >= 0:
            families.extend(QFontDatabase.applicationFontFamilies(font_id))
    return tuple(dict.fromkeys(families))


def script_of(text: str) -> Script:
    """Return which CJK faces suit `text`: kana → Japanese, hangul → Korean, Han alone → Chinese.

    Text without any of them gets Japanese first, which then changes nothing.
    """
    if text.isascii():
        return Script.JAPANESE
    han = False
    for character in text:
        code = ord(character)
        if 0x3040 <= code <= 0x30FF or 0xFF66 <= code <= 0xFF9F:
            return Script.JAPANESE
        if 0xAC00 <= code <= 0xD7AF or 0x1100 <= code <= 0x11FF:
            return Script.KOREAN
        han = han or 0x3400 <= code <= 0x9FFF
    return Script.CHINESE if han else Script.JAPANESE


@lru_cache(maxsize=4)
def families(script: Script = Script.JAPANESE) -> tuple[str, ...]:
    """Return the family names in the order Qt should try them."""
    order = {
        Script.JAPANESE: _JAPANESE + _CHINESE + _KOREAN,
        Script.CHINESE: _CHINESE + _JAPANESE + _KOREAN,
        Script.KOREAN: _KOREAN + _JAPANESE + _CHINESE,
    }[script]
    return ("Inter", *order, "sans-serif", *_EMOJI)


@lru_cache(maxsize=128)
def _font(size_px: int, weight: QFont.Weight, script: Script) -> QFont:
    font = QFont(list(families(script)))
    font.setPixelSize(size_px)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def ui_font(size_px: int, weight: QFont.Weight = REGULAR, text: str = "") -> QFont:
    """Return a copy of the face at `size_px`, its CJK faces chosen by `text` when given."""
    return QFont(_font(size_px, weight, script_of(text)))
