"""Who the two Windows packages are: their codes, names, hives and component GUIDs.

It never invents anything at random: the same version and variant always give the same codes.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import Literal

# Never change it, nor an upgrade code: Windows would take the next package for another product.
_NAMESPACE = uuid.UUID("6f1c52f4-6a0f-5d0c-9c1e-9a3f0b7d2c41")
MANUFACTURER = "Parley"


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the two packages: for everyone on a computer, or for one person."""

    name: Literal["machine", "user"]
    upgrade_code: str
    hive: Literal["HKLM", "HKCU"]
    scope: str
    embedded_backend: str  # EMBEDDED_BACKEND where nobody chose

    def product_code(self, version: str) -> str:
        """Return the ProductCode, another one for each version."""
        return _braced(uuid.uuid5(_NAMESPACE, f"product/{self.name}/{version}"))

    def package_code(self, version: str, digest: str) -> str:
        """Return the PackageCode, another one for each content (`digest`) of a version."""
        return _braced(uuid.uuid5(_NAMESPACE, f"package/{self.name}/{version}/{digest}"))

    def component_guid(self, name: str) -> str:
        """Return a component's GUID by its file's path or its name, the same in each version."""
        return _braced(uuid.uuid5(_NAMESPACE, f"component/{self.name}/{name}"))

    @property
    def root(self) -> int:
        """Return the hive as the Registry table numbers it."""
        return {"HKCU": 1, "HKLM": 2}[self.hive]

    def file_name(self, version: str) -> str:
        """Return the package's file name."""
        return f"Parley-{version}-x64-{self.name}.msi"


MACHINE = Variant(
    "machine", "{7A9D2C7E-3B54-4E0B-9C8F-5E1D80B6A2F1}", "HKLM", "for everyone on a computer", "0"
)
USER = Variant("user", "{C41E6B0A-92D7-4F63-8A15-D3F7B02E94C8}", "HKCU", "for one person", "1")
VARIANTS = (MACHINE, USER)


# What Add/Remove Programs shows beside the name: a firm may give addresses of its own pages.
_ADDRESSES = {
    "PARLEY_ABOUT_URL": "ARPURLINFOABOUT",
    "PARLEY_HELP_URL": "ARPHELPLINK",
    "PARLEY_UPDATE_URL": "ARPURLUPDATEINFO",
}


def published_addresses() -> dict[str, str]:
    """Return the properties of those addresses that the environment gives."""
    given = {name: os.environ.get(variable, "") for variable, name in _ADDRESSES.items()}
    return {name: address for name, address in given.items() if address.startswith("https://")}


def _braced(value: uuid.UUID) -> str:
    return f"{{{str(value).upper()}}}"
