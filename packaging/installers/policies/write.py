"""Writes every template for administrators into out/packages/policies.

It never touches the source tree: the committed reference has a command of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from installers.places import PACKAGES
from installers.policies.admx import adml, admx
from installers.policies.apple import configuration_profile, jamf_schema, property_list
from installers.policies.catalogue import managed_policies, starter_values
from installers.policies.linux import policies_file
from installers.policies.oma_uri import oma_uri_page
from installers.policies.reference import reference
from installers.policies.registry_file import registry_file
from installers.policies.words import load_words

FOLDER = PACKAGES / "policies"


def build(folder: Path = FOLDER) -> list[Path]:
    """Write the files anew and return them; two runs give the same bytes.

    Raises BuildFault where a translation is missing.
    """
    contents = dict(_contents())
    shutil.rmtree(folder, ignore_errors=True)
    written = []
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def _contents() -> Iterator[tuple[str, bytes]]:
    policies = managed_policies()
    words = load_words(policies)
    english = words["en-US"]
    yield "windows/Parley.admx", admx(policies)
    for culture, spoken in words.items():
        yield f"windows/{culture}/Parley.adml", adml(policies, spoken)
    yield "windows/Parley-example.reg", registry_file(policies, starter_values(policies, "windows"))
    yield "windows/OMA-URI.md", oma_uri_page(policies).encode()
    starters = starter_values(policies, "macos")
    yield "macos/com.parley.desktop.mobileconfig", configuration_profile(starters, english)
    yield "macos/com.parley.desktop.plist", property_list(starters)
    yield "macos/jamf-schema.json", jamf_schema(policies, english)
    yield "linux/policies.json", policies_file(starter_values(policies, "linux"))
    yield "managed-settings.md", reference().encode()
