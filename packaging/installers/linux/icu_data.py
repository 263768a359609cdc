"""Cutting ICU's data, which Qt's library for Linux carries whole, to what Parley ever asks for.

It changes no other library, and nothing that ICU needs to start, to compare or to fold texts.
"""

from __future__ import annotations

import re
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from installers.faults import BuildFault
from installers.linux.elf import run_tool

# Names of languages, regions, units, currencies and zones, numbers in words, transliteration,
# dictionaries that break lines, names of characters: Qt has its own of most, Parley asks for none.
_LEFT_OUT = ("lang/", "region/", "unit/", "curr/", "zone/", "rbnf/", "translit/", "brkitr/")
_LEFT_OUT_ITEMS = ("unames.icu",)
_KIND = b"CmnD"  # the format of ICU's common data, twelve bytes into its header
_KIND_AT = 12
_ALIGNED_TO = 16

_ASSEMBLY = """\
.section .note.GNU-stack,"",@progbits
.section .rodata
.balign 16
.globl {symbol}
.type {symbol}, @object
{symbol}:
.incbin "{data}"
.size {symbol}, . - {symbol}
"""


@dataclass(frozen=True, slots=True)
class IcuData:
    """ICU's common data: its header, and its items by their names in alphabetical order."""

    header: bytes
    items: dict[str, bytes]

    def packed(self) -> bytes:
        """Return it as ICU reads it: header, table, names, contents on even places."""
        names = [name.encode("ascii") + b"\0" for name in self.items]
        name_at = 4 + 8 * len(names)
        content_at = _aligned(name_at + sum(map(len, names)))
        table, contents = [struct.pack("<I", len(names))], []
        for name, content in zip(names, self.items.values(), strict=True):
            table.append(struct.pack("<II", name_at, content_at))
            name_at += len(name)
            padded = content + b"\0" * (_aligned(len(content)) - len(content))
            contents.append(padded)
            content_at += len(padded)
        start = b"".join((*table, *names))
        return (
            self.header + start + b"\0" * (_aligned(len(start)) - len(start)) + b"".join(contents)
        )


def cut_icu_data(library: Path) -> None:
    """Replace libicudata.so.<n> by one with the same name and symbol but less in it."""
    symbol = _symbol(library)
    whole = read(library.read_bytes())
    kept = {name: content for name, content in whole.items.items() if not _is_left_out(name)}
    with tempfile.TemporaryDirectory(dir=library.parent) as name:
        folder = Path(name)
        (folder / "data.bin").write_bytes(IcuData(whole.header, kept).packed())
        text = _ASSEMBLY.format(symbol=symbol, data="data.bin")
        (folder / "data.s").write_text(text, encoding="ascii")
        run_tool("as", "-o", "data.o", "data.s", folder=folder)
        shape = ("-shared", "-z", "noexecstack", "--build-id=none", "--hash-style=both")
        linked = ("-soname", library.name, "-o", "linked.so", "data.o")
        run_tool("ld", *shape, *linked, folder=folder)
        (folder / "linked.so").replace(library)


def read(data: bytes) -> IcuData:
    """Find ICU's common data in a library's bytes; what follows them counts to the last item."""
    start = data.find(_KIND) - _KIND_AT
    if start < 0:
        raise BuildFault("This library holds no data of ICU's: leave it as it is.")
    whole = data[start:]
    header_bytes: int = struct.unpack_from("<H", whole)[0]
    body = whole[header_bytes:]
    count: int = struct.unpack_from("<I", body)[0]
    places = [struct.unpack_from("<II", body, 4 + 8 * number) for number in range(count)]
    ends = [*(content_at for _, content_at in places[1:]), len(body)]
    items = {
        body[name_at : body.index(b"\0", name_at)].decode("ascii"): body[content_at:end]
        for (name_at, content_at), end in zip(places, ends, strict=True)
    }
    return IcuData(whole[:header_bytes], items)


def _is_left_out(name: str) -> bool:
    inner = name.partition("/")[2]
    return inner.startswith(_LEFT_OUT) or inner in _LEFT_OUT_ITEMS


def _symbol(library: Path) -> str:
    """Return the name under which ICU looks its data up."""
    found = re.search(r"\b(icudt\d+_dat)$", run_tool("nm", "-D", str(library)), re.MULTILINE)
    if found is None:
        raise BuildFault(f"{library.name} has no table of ICU's data: see linux/icu_data.py.")
    return found[1]


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // _ALIGNED_TO) * _ALIGNED_TO
