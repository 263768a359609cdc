"""Draws the app's icon in the sizes macOS asks for and writes them as one .icns file.

It draws nothing but resources/icons/parley.svg, and needs no window system.
"""

from __future__ import annotations

import struct
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from installers.faults import BuildFault

# Kinds that hold a PNG, with its size in pixels, as iconutil writes them.
KINDS = {
    "ic11": 32,  # 16 points at double density
    "ic12": 64,
    "ic07": 128,
    "ic13": 256,
    "ic08": 256,
    "ic14": 512,
    "ic09": 512,
    "ic10": 1024,
}
# Apple's grid: what is drawn fills 824 of 1024 points, the rest is air for the shadow.
DRAWN_SHARE = 824 / 1024
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def icns(drawing: Path) -> bytes:
    """Return a drawing (.svg) as an .icns file; the same bytes each time, with the same Qt."""
    renderer = QSvgRenderer(str(drawing))
    if not renderer.isValid():
        raise BuildFault(f"{drawing.name} is no drawing that Qt can read.")
    pictures = {size: _png(renderer, size) for size in set(KINDS.values())}
    return pack({kind: pictures[size] for kind, size in KINDS.items()})


def pack(entries: dict[str, bytes]) -> bytes:
    """Return an .icns file of entries, kind -> content, in their order."""
    body = b"".join(
        kind.encode("ascii") + struct.pack(">I", 8 + len(content)) + content
        for kind, content in entries.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the entries of an .icns file, kind -> content; raises BuildFault when it is none."""
    if data[:4] != b"icns" or int.from_bytes(data[4:8], "big") != len(data):
        raise BuildFault("This is no whole .icns file.")
    entries: dict[str, bytes] = {}
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if size < 8 or at + size > len(data):
            raise BuildFault("An entry of the .icns file is cut off.")
        entries[data[at : at + 4].decode("ascii")] = data[at + 8 : at + size]
        at += size
    return entries


def _png(renderer: QSvgRenderer, size_px: int) -> bytes:
    image = QImage(size_px, size_px, QImage.Format.Format_ARGB32)
    image.fill(0)
    drawn = size_px * DRAWN_SHARE
    margin = (size_px - drawn) / 2
    painter = QPainter(image)
    renderer.render(painter, QRectF(margin, margin, drawn, drawn))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]  # PySide wants a str here
        raise BuildFault("Qt can't write PNG pictures here.")
    return bytes(buffer.data().data())
