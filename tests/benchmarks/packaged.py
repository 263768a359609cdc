"""Measures what IT installs: the size of each package, and the packaged client's start.

It never builds a package: `make packages` does, and what is not built is not measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from app.domain.version import CLIENT_VERSION
from tests.benchmarks.cold_start import STARTS, compile_program, ready_to_run, start
from tests.benchmarks.lines import Group, Line, NotMeasured, at_most
from tests.benchmarks.screen import screen
from tests.support.surroundings import ROOT

_BUNDLES = ROOT / "out" / "bundle"
_PACKAGES = ROOT / "out" / "packages"
_MB = 1e6


class Shipped(NamedTuple):
    """One system's client: its bundle's folder, and what is downloaded to install it."""

    system: str
    bundle: str
    download: str


SHIPPED = (
    Shipped("Linux", "linux", "parley_{v}_amd64.deb"),
    Shipped("Windows", "windows", "Parley-{v}-x64-machine.msi"),
    Shipped("macOS", "macos", "Parley-{v}.dmg"),
)


def _size_lines(shipped: Shipped) -> tuple[Line, Line]:
    return (
        Line(
            f"packaged for {shipped.system}: installed size",
            "MB",
            at_most(140),
            "bytes of all files of the bundle, links not followed",
        ),
        Line(
            f"packaged for {shipped.system}: download",
            "MB",
            at_most(45),
            shipped.download.format(v=CLIENT_VERSION),
        ),
    )


def _sizes(shipped: Shipped, _folder: Path) -> Iterator[float]:
    bundle, download = (
        _BUNDLES / shipped.bundle,
        _PACKAGES / shipped.download.format(v=CLIENT_VERSION),
    )
    for path in (bundle, download):
        if not path.exists():
            raise NotMeasured(f"{path.name} is not built: make packages")
    yield sum(path.lstat().st_size for path in bundle.rglob("*") if not path.is_dir()) / _MB
    yield download.stat().st_size / _MB


_START_LINES = (
    Line(
        "packaged for Linux: cold start, exec to inbox painted",
        "s",
        at_most(0.45),
        f"the bundle's program over the data set, as the source tree's; median of {STARTS}",
    ),
    Line(
        "packaged for Linux: cold start against the source tree's",
        "times",
        at_most(1),
        "the source tree's program started in turn with it, in the same run; medians",
    ),
)


def _starts(folder: Path) -> Iterator[float]:
    program = _BUNDLES / "linux" / "parley"
    if not program.exists():
        raise NotMeasured("the bundle for Linux is not built: make packages")
    root = ready_to_run(folder.parent)
    packaged: list[float] = []
    plain: list[float] = []
    with screen(folder / "screen") as display:
        compile_program()
        # Each program's first start reads its files from the disk: it is not counted.
        for number in range(STARTS + 1):
            for name, command, taken in (
                ("packaged", (str(program),), packaged),
                ("plain", (), plain),
            ):
                marks = folder / f"{name}-{number}"
                taken.append(start(display, root, marks, program=command).painted_s)
    yield median(packaged[1:])
    yield median(packaged[1:]) / median(plain[1:])


GROUPS = (
    *(Group(_size_lines(one), partial(_sizes, one)) for one in SHIPPED),
    Group(_START_LINES, _starts),
)
