"""Writes docs/managed-settings.md: every setting, who may set it, and where each system keeps it.

It does not explain how a template is rolled out; the administrator's guide does.

Run as a program it writes the committed page; a test compares both.
"""

from __future__ import annotations

from app.settings.schema import Origin, Setting, Value
from app.settings.sources import (
    INSTALLER_FILE_LINUX,
    INSTALLER_FILE_MACOS,
    INSTALLER_KEY_WINDOWS,
    MACOS_DOMAIN,
    MANAGED_FILE_LINUX,
    MANAGED_FOLDER_MACOS,
    POLICIES_KEY_WINDOWS,
)
from installers.places import ROOT
from installers.policies.catalogue import Policy, managed_policies, plain

PAGE = ROOT / "docs" / "managed-settings.md"

_HEAD = f"""# Managed settings

Generated from `packaging/policy/schema.json`; do not edit it by hand. `make policies` writes the
templates of all systems into `out/packages/policies`.

## Where Parley reads them

| | Windows | macOS | Linux |
|---|---|---|---|
| **managed** | `HKLM\\{POLICIES_KEY_WINDOWS}`, then `HKCU\\{POLICIES_KEY_WINDOWS}` \
| `{MANAGED_FOLDER_MACOS}/{MACOS_DOMAIN}.plist`, then the user's in \
`{MANAGED_FOLDER_MACOS}/<user>/` | `{MANAGED_FILE_LINUX}` |
| **installer** | `HKLM\\{INSTALLER_KEY_WINDOWS}`; where that key is absent \
`HKCU\\{INSTALLER_KEY_WINDOWS}` | `{INSTALLER_FILE_MACOS}` | `{INSTALLER_FILE_LINUX}` |
| **user** | the settings page, `settings.json` in the user's folder | the same | the same |

Within one row the first place that has a good value wins; on Windows the 64-bit view is read. A
key is the name of the registry value, of the property list's entry and of the JSON member. Names
in the registry are read without regard to capitals, elsewhere they have to be as here: another one
is named and not taken.

## Who wins

Managed values always win, and the user sees them locked. Each setting says what a value of the
installation is: **fixed** stands over the user's choice and locks it, **suggested** holds until the
user chooses otherwise. A value from a place that may not set it is ignored and named.

A value that can't be used is named with its key, place and reason on the diagnostics page (F12)
and by `parley --selftest --json`, and the next place's good value holds, else the default. Two
settings fail closed instead: when a stronger place's word on `BackendUrl` or `EmbeddedBackend`
can't be read, or stands there in other capitals (`BackendURL`), Parley connects to nothing and says
so.

## When a change holds

Parley works with what it read at its start. Every 15 minutes it looks whether the firm changed
something in between, and then asks the user to start it again, naming the settings; the
diagnostics' check "Settings" names them too. It never goes on half under old and half under new
settings. Only what users change themselves on the settings page holds at once, where the page does
not say otherwise; with such a change the managed values of theme, language, Enter, undo period,
autostart and cache limits are taken up as well.

## How a value is written

| type | registry | property list | JSON |
|---|---|---|---|
| yes or no | `REG_DWORD` 1 or 0 | `<true/>`, `<false/>` | `true`, `false` |
| number | `REG_DWORD` | `<integer>` | number |
| text | `REG_SZ`, paths `REG_EXPAND_SZ` | `<string>` | text |
| list | `REG_MULTI_SZ`, or a subkey with values 1, 2, 3 … | `<array>` of `<string>` \
| list of texts |

Texts that say the same are understood, too: `1` and `true` for yes, digits for a number, one text
with line breaks or semicolons for a list. Paths may hold variables of the environment
(`%LOCALAPPDATA%`, `$HOME`) and a leading `~`; that of `BackendCaFile` may not, because users could
lead it elsewhere.
"""


def reference() -> str:
    """Return the whole page."""
    policies = managed_policies()
    parts = [_HEAD]
    category = ""
    for policy in policies:
        if policy.setting.category != category:
            category = policy.setting.category
            parts.append(f"\n## {category}\n")
        parts.append(_section(policy))
    return "".join(parts)


def _section(policy: Policy) -> str:
    setting = policy.setting
    rows = [
        ("type", _type(policy)),
        ("default", _value(setting.default_value)),
        ("allowed", _allowed(setting)),
        ("set by", _setters(setting)),
        ("example", _value(policy.example("windows"))),
    ]
    table = "".join(f"| {name} | {words} |\n" for name, words in rows)
    late = ""
    if setting.stands_at is not None:
        always = _value(setting.stands_at)
        late = f"**Without effect yet: this version does as with {always}, whatever is set.**\n\n"
    return (
        f"\n### {policy.key}\n\n{late}{setting.title}. {setting.description}\n\n"
        f"| | |\n|---|---|\n{table}"
    )


def _type(policy: Policy) -> str:
    names = {"boolean": "yes or no", "integer": "number", "array": "list", "string": "text"}
    return f"{names[policy.setting.type]}, `{policy.registry_kind}`"


def _allowed(setting: Setting) -> str:
    if setting.enum:
        return ", ".join(f"`{value}`" for value in setting.enum)
    match setting.type:
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return f"{setting.minimum} to {setting.maximum}"
        case "array":
            kind = _FORMATS[setting.items.format]
            longest = setting.items.max_length
            return f"{kind}; at most {setting.max_items} of {longest} characters each"
        case _:
            return f"{_FORMATS[setting.format]}; at most {setting.max_length} characters"


_FORMATS = {
    "": "text",
    "https-url": "an address that begins with `https://`",
    "proxy-url": "an address that begins with `http://` or `https://`, no password",
    "absolute-path": "a full path",
    "full-path": "a full path without variables",
    "verifier-key": "a verifier key, `name+1a2b3c4d+AbC…=`",
}


def _setters(setting: Setting) -> str:
    names = []
    for origin in setting.order():
        word = f" ({setting.installer})" if origin is Origin.INSTALLER else ""
        names.append(f"{origin.value}{word}")
    return " > ".join(names)


def _value(value: Value) -> str:
    if value in ("", ()):
        return "empty"
    shown = plain(value)
    if isinstance(shown, bool):
        return f"`{'true' if shown else 'false'}`"
    return ", ".join(f"`{entry}`" for entry in (shown if isinstance(shown, list) else [shown]))


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
