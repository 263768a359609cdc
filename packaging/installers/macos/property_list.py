"""Fills the app's Info.plist from its template in packaging/macos.

It holds no text of its own: names, schemes and reasons stand in the template.
"""

from __future__ import annotations

import plistlib
from typing import Any

from installers.macos import ARCHITECTURE, MINIMUM_SYSTEM
from installers.places import PACKAGING, version

MATERIAL = PACKAGING / "macos"
TEMPLATE = MATERIAL / "Info.plist"
ENTITLEMENTS = MATERIAL / "entitlements.plist"


def info_plist() -> bytes:
    """Return the Info.plist of this version: the same bytes each time."""
    filled: dict[str, Any] = plistlib.loads(TEMPLATE.read_bytes())
    filled["CFBundleShortVersionString"] = version()
    filled["CFBundleVersion"] = version()
    filled["LSMinimumSystemVersion"] = ".".join(str(part) for part in MINIMUM_SYSTEM)
    filled["LSArchitecturePriority"] = [ARCHITECTURE]
    return plistlib.dumps(filled, sort_keys=True)
