"""Runs an X server without a monitor, whose picture can be looked at while a program paints.

It never shows anything to a user and takes no window of this session's display.
"""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.lines import NotMeasured

SIZE_PX = (1440, 900)
_HEADER = ">25I"  # XWDFile.h: size, version, format, depth, width, height … bytes per line
_HEADER_SIZE, _LINE_BYTES, _COLOURS, _COLOUR_BYTES = 0, 12, 19, 12
_PIXEL_BYTES = 4
# A window that stands there empty has one or two shades; text and icons bring many.
_LEAST_SHADES = 12
_LEAST_SHARE = 0.05
_COARSE_STEP_PX, _FINE_STEP_PX = 37, 3


class Screen:
    """A display of its own, as `DISPLAY` names it."""

    def __init__(self, display: str, picture: mmap.mmap) -> None:
        self.display = display
        self._picture = picture
        header = struct.unpack(_HEADER, picture[: struct.calcsize(_HEADER)])
        first = header[_HEADER_SIZE] + header[_COLOURS] * _COLOUR_BYTES
        self._pixels = slice(first, first + header[_LINE_BYTES] * SIZE_PX[1])

    def is_painted(self) -> bool:
        """Tell whether a window with content stands on the screen (0.2 ms while it is bare)."""
        coarse = self._sample(_COARSE_STEP_PX)
        if coarse.count(0) > (1 - _LEAST_SHARE) * len(coarse):
            return False
        return len(set(self._sample(_FINE_STEP_PX))) >= _LEAST_SHADES

    def environment(self) -> dict[str, str]:
        """Return the environment of a program that is to paint here."""
        kept = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
        kept.pop("QT_QPA_PLATFORM", None)
        return kept | {"DISPLAY": self.display, "GDK_BACKEND": "x11"}

    def _sample(self, step_px: int) -> bytes:
        first, end = self._pixels.start, self._pixels.stop
        return self._picture[first : end : step_px * _PIXEL_BYTES]


@contextmanager
def screen(folder: Path) -> Iterator[Screen]:
    """Run an X server for a while; raises NotMeasured where there is none."""
    if shutil.which("Xvfb") is None:
        raise NotMeasured("there is no Xvfb here (Debian, Ubuntu: apt-get install xvfb)")
    folder.mkdir(exist_ok=True)
    reader, writer = os.pipe()
    size = f"{SIZE_PX[0]}x{SIZE_PX[1]}x24"
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(writer), "-screen", "0", size),
            *("-fbdir", str(folder), "-nolisten", "tcp", "-noreset"),
        ],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            number = told.readline().strip()
        if not number:
            raise NotMeasured("Xvfb did not start")
        with (folder / "Xvfb_screen0").open("rb") as file:
            picture = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        with picture:
            yield Screen(f":{number}", picture)
    finally:
        server.terminate()
        server.wait()
