"""Makes the Mac volume that a disk image holds: HFS+, by xorriso, cut out of its hybrid image.

It writes nothing into the files, and the volume bears no time or number but those it is given.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from installers.faults import BuildFault

_BLOCK_BYTES = 512
_HEADER_AT = 1024  # TN1150: the volume header, whose copy stands as far from the end
_SIGNATURE = b"H+"


def make_volume(name: str, contents: Mapping[str, Path], target: Path, time_s: int) -> None:
    """Write a raw HFS+ volume called `name` to `target`, owned by root, dated `time_s`.

    `contents` are the files, folders and links of its root. Raises BuildFault when xorriso is
    missing or can't.
    """
    stamp = time.strftime("%Y%m%d%H%M%S00", time.gmtime(time_s))
    serial = hashlib.sha256(f"{name}\0{time_s}".encode()).hexdigest()[:16].upper()
    options = ["-hfsplus", "-hfsplus-serial-no", serial, "-V", name, "-uid", "0", "-gid", "0"]
    options += [f"--modification-date={stamp}", "--set_all_file_dates", stamp, "-graft-points"]
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        hybrid = Path(folder) / "hybrid.iso"
        placed = [f"{inner}={path}" for inner, path in contents.items()]
        _xorriso([*options, "-o", str(hybrid), *placed])
        cut(hybrid, target)


def cut(hybrid: Path, target: Path) -> None:
    """Write the only HFS+ partition of an image with an Apple partition map to `target`."""
    with hybrid.open("rb") as file:
        start_bytes, size_bytes = _partition(file.read(64 * _BLOCK_BYTES))
        file.seek(start_bytes)
        volume = file.read(size_bytes)
    copy = volume[-_HEADER_AT:][:2]
    if len(volume) != size_bytes or {volume[_HEADER_AT:][:2], copy} != {_SIGNATURE}:
        raise BuildFault("xorriso's image holds no HFS+ volume where its partition map says.")
    target.write_bytes(volume)


def _partition(head: bytes) -> tuple[int, int]:
    """Return where the Apple_HFS partition begins, and its size, in bytes."""
    for at in range(_BLOCK_BYTES, len(head), _BLOCK_BYTES):
        entry = head[at : at + _BLOCK_BYTES]
        if entry[:2] == b"PM" and entry[48:80].rstrip(b"\0") == b"Apple_HFS":
            first, blocks = struct.unpack_from(">II", entry, 8)
            return first * _BLOCK_BYTES, blocks * _BLOCK_BYTES
    raise BuildFault("xorriso's image has no partition of the kind Apple_HFS.")


def _xorriso(arguments: list[str]) -> None:
    command = ["xorriso", "-as", "mkisofs", "-quiet", *arguments]
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError as missing:
        raise BuildFault("xorriso is missing: run .ci/packaging-tools once.") from missing
    if ran.returncode != 0:
        raise BuildFault(f"xorriso can't make the volume: {ran.stderr.strip()[-400:]}")
