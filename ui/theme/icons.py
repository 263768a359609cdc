"""The icons: Lucide outlines and Parley's own mark, drawn in any colour at any scale.

It never downloads anything and caches only what was drawn.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

_FOLDER = Path(resources.__file__).parent / "icons"
_SCALES = (1.0, 2.0, 3.0)


def icon_names() -> tuple[str, ...]:
    """Return the names `icon` takes: the file names in resources/icons without their ending."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.svg")))


@lru_cache(maxsize=128)
def _svg(name: str, color: str) -> QByteArray:
    source = (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    return QByteArray(source.replace("currentColor", color).encode("utf-8"))


@lru_cache(maxsize=512)
def icon_pixmap(name: str, color: str, size_px: int, scale: float = 1.0) -> QPixmap:
    """Return the outline in `color` (`#RRGGBB`) as a square of `size_px` logical pixels.

    `scale` is the device pixel ratio it will be painted at. Raises FileNotFoundError for a
    name that resources/icons does not hold.
    """
    side_px = max(1, round(size_px * scale))
    pixmap = QPixmap(side_px, side_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(_svg(name, color)).render(painter, QRectF(0, 0, side_px, side_px))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap


def icon(name: str, color: str, size_px: int = 20, disabled_color: str = "") -> QIcon:
    """Return an icon crisp at 100, 200 and 300 %, in `disabled_color` while disabled."""
    result = QIcon()
    for scale in _SCALES:
        result.addPixmap(icon_pixmap(name, color, size_px, scale))
        if disabled_color:
            pixmap = icon_pixmap(name, disabled_color, size_px, scale)
            result.addPixmap(pixmap, QIcon.Mode.Disabled)
    return result


def application_icon() -> QIcon:
    """Return Parley's mark (blue rounded square with a P) for windows and the task bar."""
    result = QIcon()
    for size_px in (16, 24, 32, 48, 64, 128, 256):
        result.addPixmap(icon_pixmap("parley", "#FFFFFF", size_px))
    return result
