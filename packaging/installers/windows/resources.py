"""What Windows shows of the programs before they run: their icon and their version.

It never takes a picture drawn elsewhere: the icon is rendered from resources/icons/parley.svg.
"""

from __future__ import annotations

import struct
from pathlib import Path

from installers.places import CACHE, PACKAGING, ROOT, version

ICON_SIZES_PX = (16, 20, 24, 32, 40, 48, 64, 128, 256)
MANIFEST = PACKAGING / "windows" / "parley.manifest"
COPYRIGHT = "Copyright the Parley authors"
_SOURCE = ROOT / "resources" / "icons" / "parley.svg"
_PNG_FROM_PX = 128  # Windows reads smaller ones everywhere only as bitmaps
_NAMES = {"parley": "Parley", "parley-backend": "Parley service on this computer"}


def icon() -> Path:
    """Return parley.ico, rendered anew; equal sources and an equal Qt give equal bytes."""
    pictures = [_picture(size_px) for size_px in ICON_SIZES_PX]
    offset = 6 + 16 * len(pictures)
    directory = struct.pack("<HHH", 0, 1, len(pictures))
    for size_px, picture in zip(ICON_SIZES_PX, pictures, strict=True):
        side = size_px % 256  # 256 is written as 0
        directory += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(picture), offset)
        offset += len(picture)
    return _written("parley.ico", directory + b"".join(pictures))


def version_file(program: str) -> Path:
    """Return PyInstaller's version file of one program, `parley` or `parley-backend`."""
    numbers = (*(int(part) for part in version().split(".")), 0)
    strings = {
        "CompanyName": "Parley",
        "FileDescription": _NAMES[program],
        "FileVersion": version(),
        "InternalName": program,
        "LegalCopyright": COPYRIGHT,
        "OriginalFilename": f"{program}.exe",
        "ProductName": "Parley",
        "ProductVersion": version(),
    }
    structs = ", ".join(f"StringStruct({key!r}, {text!r})" for key, text in strings.items())
    text = (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, "
        "flags=0, OS=0x40004, fileType=1, subtype=0, date=(0, 0)), kids=["
        f"StringFileInfo([StringTable('040904B0', [{structs}])]), "
        "VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n"
    )
    return _written(f"{program}.version", text.encode())


def _written(name: str, content: bytes) -> Path:
    path = CACHE / "windows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _picture(size_px: int) -> bytes:
    """Render the icon at one size, as PNG or as the bitmap that icon files hold."""
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size_px, size_px, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(_SOURCE)).render(painter)
    painter.end()
    if size_px >= _PNG_FROM_PX:
        content = QByteArray()
        buffer = QBuffer(content)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes as format
        return bytes(content.data())
    rows = bytes(image.constBits())
    return _bitmap(rows, size_px)


def _bitmap(rows: bytes, size_px: int) -> bytes:
    """Return a device-independent bitmap: rows from the bottom up, then an empty mask.

    `rows` are 4 bytes a pixel (blue, green, red, alpha), from the top down.
    """
    header = struct.pack("<IiiHHIIiiII", 40, size_px, 2 * size_px, 1, 32, 0, 0, 0, 0, 0, 0)
    width = 4 * size_px
    upward = b"".join(rows[at : at + width] for at in range(len(rows) - width, -1, -width))
    mask_row_bytes = (size_px + 31) // 32 * 4
    return header + upward + bytes(mask_row_bytes * size_px)
