"""Writes the page of addresses and values for Intune's custom profiles.

It never repeats what a setting means; the reference of managed settings says that.

How addresses are made of an ingested template, and how values are written, follows Microsoft's
pages "Win32 and Desktop Bridge app ADMX policy ingestion" and "Understanding ADMX policies".
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from app.settings.schema import Value
from installers.policies.admx import ROOT_CATEGORY
from installers.policies.catalogue import Policy

APP_NAME = "Parley"
INGESTION_URI = (
    f"./Device/Vendor/MSFT/Policy/ConfigOperations/ADMXInstall/{APP_NAME}/Policy/ParleyAdmx"
)
_ENTRY_SEPARATOR = "&#xF000;"

_HEAD = f"""# Parley's settings in Intune

Generated from `packaging/policy/schema.json`. What each setting means stands in
`docs/managed-settings.md`. Two ways lead to the same registry values below
`HKLM\\Software\\Policies\\Parley`; use one of them. None of this was tried in a tenant yet.

## The template, imported

Devices > Configuration > Import ADMX takes `Parley.admx` together with `en-US/Parley.adml`. The
template names no other template, so none has to be imported before it. A profile of the kind
"Imported administrative templates" then shows every setting with its explanation.

## A custom profile

First row, which hands the template to the device:

| field | value |
|---|---|
| Name | Parley template |
| OMA-URI | `{INGESTION_URI}` |
| Data type | String |
| Value | the whole text of `Parley.admx` |

Then a row for each setting, always of the data type **String**. The addresses below hold for
everybody on a device; for single users write `./User` in place of `./Device`. Without a row a
setting is not configured; `<disabled/>` means no for a setting that is on or off, and the same as
not configured for every other one. Entries of a list stand one after the other with
`{_ENTRY_SEPARATOR}` between them.
"""


def oma_uri_page(policies: tuple[Policy, ...]) -> str:
    """Return the page: the ingestion's address, and one address and example a setting."""
    parts = [_HEAD]
    for policy in policies:
        example = policy.example("windows")
        parts.append(f"\n### {policy.setting.title}\n\n")
        if not policy.acted_on:
            parts.append("**Without effect yet: this version only reads it.**\n\n")
        parts.append(f"- OMA-URI: `{setting_uri(policy)}`\n")
        parts.append("- Data type: String\n")
        parts.append(f"- Example: `{setting_value(policy, example)}`\n")
    return "".join(parts)


def setting_uri(policy: Policy, scope: str = "Device") -> str:
    """Return a setting's address; `scope` is Device or User."""
    area = f"{APP_NAME}~Policy~{ROOT_CATEGORY}~{policy.setting.category}"
    return f"./{scope}/Vendor/MSFT/Policy/Config/{area}/{policy.key}"


def setting_value(policy: Policy, value: Value) -> str:
    """Return what a custom profile sends to set a value."""
    if isinstance(value, bool):
        return "<enabled/>" if value else "<disabled/>"
    if isinstance(value, tuple):
        entries = _ENTRY_SEPARATOR.join(quoteattr(entry)[1:-1] for entry in value)
        return f'<enabled/><data id="{policy.key}" value="{entries}"/>'
    return f'<enabled/><data id="{policy.key}" value={quoteattr(str(value))}/>'
