"""Reads Mach-O files: what they are made for, what they load, where their signature lies.

It never changes a file; `thinning` and `code_signature` do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from installers.faults import BuildFault

# <mach-o/fat.h>, <mach-o/loader.h>, <mach/machine.h>
FAT_MAGICS = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}  # -> size of a slice's entry
THIN_MAGIC = b"\xcf\xfa\xed\xfe"  # 64 bit, little endian: all that Macs run today
CPU_TYPES = {0x0100_0007: "x86_64", 0x0100_000C: "arm64"}
KINDS = {2: "executable", 6: "library", 8: "bundle"}

_LOADS = {0x0C: "needed", 0x8000_0018: "weak", 0x8000_001F: "reexported", 0x8000_0023: "upward"}
_ID_DYLIB = 0x0D
_RPATH = 0x8000_001C
_CODE_SIGNATURE = 0x1D
_BUILD_VERSION = 0x32
_VERSION_MIN_MACOSX = 0x24
_SEGMENT_64 = 0x19
_PLATFORM_MACOS = 1


@dataclass(frozen=True, slots=True)
class Slice:
    """The code for one architecture: where it lies in the file, in bytes."""

    architecture: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Image:
    """What one slice says of itself.

    `signature` is (offset from the slice's start, size) in bytes, None for unsigned code;
    `minimum_system` is macOS' version, such as (13, 0), (0, 0) where none is told.
    """

    architecture: str
    kind: str
    name: str | None
    loads: tuple[str, ...]
    search_paths: tuple[str, ...]
    minimum_system: tuple[int, int]
    signature: tuple[int, int] | None
    text: tuple[int, int]


def is_macho(path: Path) -> bool:
    """Tell whether a file holds Mach-O code, thin or fat; other files and links do not."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(8)
    if head[:4] in FAT_MAGICS:
        return int.from_bytes(head[4:8], "big") < 20  # Java's classes begin alike, with a version
    return head[:4] == THIN_MAGIC


def slices(data: bytes) -> list[Slice]:
    """Return the slices of a Mach-O file; raises BuildFault when it is none of 64 bits."""
    entry_bytes = FAT_MAGICS.get(data[:4])
    if entry_bytes is None:
        return [Slice(_architecture(data, 0, "<"), 0, len(data))]
    found = []
    for number in range(int.from_bytes(data[4:8], "big")):
        at = 8 + number * entry_bytes
        offset, size = struct.unpack_from(">QQ" if entry_bytes == 32 else ">II", data, at + 8)
        if offset + size > len(data):
            raise BuildFault("A fat Mach-O file is cut off: get its wheel again.")
        found.append(Slice(_architecture(data, at - 4, ">"), offset, size))
    return found


def images(path: Path) -> list[Image]:
    """Read every slice of a file; raises BuildFault when it isn't sound Mach-O of 64 bits."""
    data = path.read_bytes()
    try:
        return [
            read_image(data[one.offset_bytes : one.offset_bytes + one.size_bytes])
            for one in slices(data)
        ]
    except (struct.error, BuildFault) as error:
        raise BuildFault(f"{path.name} is no sound Mach-O file: get its wheel again.") from error


def read_image(data: bytes) -> Image:
    """Read one slice's header and load commands; raises BuildFault or struct.error."""
    architecture = _architecture(data, 0, "<")
    kind = KINDS.get(struct.unpack_from("<I", data, 12)[0])
    if kind is None:
        raise BuildFault("This Mach-O file is neither program nor library: leave it out.")
    name: str | None = None
    loads: list[str] = []
    search_paths: list[str] = []
    minimum = (0, 0)
    signature: tuple[int, int] | None = None
    text = (0, 0)
    for command, at in _commands(data):
        if command in _LOADS:
            loads.append(_string(data, at))
        elif command == _ID_DYLIB:
            name = _string(data, at)
        elif command == _RPATH:
            search_paths.append(_string(data, at))
        elif command == _CODE_SIGNATURE:
            offset, size = struct.unpack_from("<II", data, at + 8)
            signature = (offset, size)
        elif command in (_BUILD_VERSION, _VERSION_MIN_MACOSX):
            minimum = _minimum_system(data, command, at)
        elif command == _SEGMENT_64 and data[at + 8 : at + 24].rstrip(b"\0") == b"__TEXT":
            text = struct.unpack_from("<QQ", data, at + 40)
    return Image(
        architecture, kind, name, tuple(loads), tuple(search_paths), minimum, signature, text
    )


def resolve(load: str, loader: Path, executable: Path, search_paths: tuple[str, ...]) -> Path:
    """Return the file a load command means, as dyld finds it; system paths stay as they are.

    `search_paths` are those of the loader and of whatever loaded it. Raises BuildFault when
    @rpath leads to no file (dyld(1): @executable_path, @loader_path, @rpath).
    """
    if load.startswith("@rpath/"):
        for search_path in search_paths:
            candidate = _placed(search_path, loader, executable) / load.removeprefix("@rpath/")
            if candidate.exists():
                return candidate
        raise BuildFault(f"{loader.name} loads {load}, which is nowhere in the bundle.")
    return _placed(load, loader, executable)


def _placed(text: str, loader: Path, executable: Path) -> Path:
    for mark, folder in (
        ("@loader_path", loader.parent),
        ("@executable_path", executable.parent),
    ):
        if text == mark or text.startswith(mark + "/"):
            return (folder / text[len(mark) :].lstrip("/")).resolve()
    return Path(text)


def _architecture(data: bytes, at: int, order: str) -> str:
    """Name the CPU of the header at `at`, whose type stands four bytes in."""
    if order == "<" and data[:4] != THIN_MAGIC:
        raise BuildFault("This is no Mach-O file of 64 bits.")
    (cpu,) = struct.unpack_from(order + "I", data, at + 4)
    architecture = CPU_TYPES.get(cpu)
    if architecture is None:
        raise BuildFault(f"A Mach-O file is made for a CPU of type {cpu:#x}, which is unknown.")
    return architecture


def _commands(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each load command with its place."""
    (count,) = struct.unpack_from("<I", data, 16)
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, at)
        if size < 8:
            raise BuildFault("A load command has no length.")
        yield command, at
        at += size


def _string(data: bytes, at: int) -> str:
    """Read the string of a load command, whose offset stands eight bytes in."""
    size, offset = struct.unpack_from("<II", data, at + 4)
    return data[at + offset : at + size].split(b"\0", 1)[0].decode()


def _minimum_system(data: bytes, command: int, at: int) -> tuple[int, int]:
    if command == _BUILD_VERSION:
        platform, version = struct.unpack_from("<II", data, at + 8)
        if platform != _PLATFORM_MACOS:
            raise BuildFault("A Mach-O file is made for another system than macOS.")
    else:
        (version,) = struct.unpack_from("<I", data, at + 8)
    return version >> 16, version >> 8 & 0xFF
