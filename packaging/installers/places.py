"""Where a build reads and writes: the source tree, downloads, bundles, packages.

It creates no folder and builds nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from installers.faults import BuildFault

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
CACHE = ROOT / ".packaging"
DOWNLOADS = CACHE / "downloads"
TOOLS = CACHE / "tools"
BUNDLES = ROOT / "out" / "bundle"
PACKAGES = ROOT / "out" / "packages"

SUMS = PACKAGES / "SHA256SUMS"
SUMS_SIGNATURE = PACKAGES / "SHA256SUMS.sig"

VERSION_VARIABLE = "PARLEY_PACKAGE_VERSION"


def version() -> str:
    """Return the packages' version, such as `1.4.0`: the client's own.

    PARLEY_PACKAGE_VERSION replaces it, so that an upgrade can be built from one tree. Raises
    BuildFault when it is not three whole numbers, which Windows Installer insists on.
    """
    chosen = os.environ.get(VERSION_VARIABLE) or _client_version()
    if not re.fullmatch(r"\d{1,3}\.\d{1,3}\.\d{1,5}", chosen):
        raise BuildFault(f"{chosen!r} is no version of a package: give three numbers, as 1.4.0.")
    return chosen


def _client_version() -> str:
    found = re.search(
        r'^CLIENT_VERSION\b.*= "([^"]+)"$',
        (ROOT / "app" / "domain" / "version.py").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    if found is None:
        raise BuildFault("app/domain/version.py names no CLIENT_VERSION.")
    return found[1]
