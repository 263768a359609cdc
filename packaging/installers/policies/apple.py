"""Writes the files for macOS: a configuration profile, a property list, Jamf Pro's schema.

It never signs a profile; the firm's device management does.

The profile carries the settings in Apple's documented payload for an application's managed
preferences, com.apple.ManagedClient.preferences with `Forced` values. macOS lays these down in
/Library/Managed Preferences/com.parley.desktop.plist, which is the file that Parley reads; a
payload whose type is the application's own domain ends there too, but no document promises it.
"""

from __future__ import annotations

import json
import plistlib
import uuid
from collections.abc import Mapping

from app.settings.schema import Value
from app.settings.sources import MACOS_DOMAIN
from installers.policies.catalogue import Policy, plain
from installers.policies.words import Words

PAYLOAD_TYPE = "com.apple.ManagedClient.preferences"
_PROFILE_ID = f"{MACOS_DOMAIN}.policies"
_PATTERNS = {
    "https-url": r"^https://.+",
    "proxy-url": r"^https?://.+",
    "absolute-path": r"^[/~$].*",
    "full-path": r"^/.*",
    "verifier-key": r"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$",
}


def property_list(values: Mapping[str, Value]) -> bytes:
    """Return the plain property list of the domain: keys and values alone."""
    return plistlib.dumps({key: plain(value) for key, value in values.items()}, sort_keys=False)


def configuration_profile(values: Mapping[str, Value], words: Words) -> bytes:
    """Return a profile that forces `values` for everybody on a Mac."""
    forced = {"mcx_preference_settings": {key: plain(value) for key, value in values.items()}}
    payload = {
        **_payload(f"{_PROFILE_ID}.settings", PAYLOAD_TYPE, words),
        "PayloadEnabled": True,
        "PayloadContent": {MACOS_DOMAIN: {"Forced": [forced]}},
    }
    profile = {
        **_payload(_PROFILE_ID, "Configuration", words),
        "PayloadDescription": words.about,
        "PayloadScope": "System",
        "PayloadContent": [payload],
    }
    return plistlib.dumps(profile, sort_keys=False)


def jamf_schema(policies: tuple[Policy, ...], words: Words) -> bytes:
    """Return the schema from which Jamf Pro draws its form for the domain."""
    schema = {
        "title": f"{words.product} ({MACOS_DOMAIN})",
        "description": words.about,
        "__preferencedomain": MACOS_DOMAIN,
        "type": "object",
        "options": {"remove_empty_properties": True},
        "properties": {
            policy.key: _property(policy, order, words)
            for order, policy in enumerate(policies, start=1)
        },
    }
    return f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n".encode()


def _payload(identifier: str, payload_type: str, words: Words) -> dict[str, object]:
    return {
        "PayloadType": payload_type,
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, identifier)).upper(),
        "PayloadDisplayName": words.product,
    }


def _property(policy: Policy, order: int, words: Words) -> dict[str, object]:
    setting = policy.setting
    described = words.description(policy)
    if not policy.acted_on:
        described = f"{words.phrases['not_yet']} {described}"
    drawn: dict[str, object] = {
        "title": f"{words.title(policy)} ({policy.key})",
        "description": described,
        "property_order": order * 10,
        "type": setting.type,
        "options": {"infoText": f"{words.categories[setting.category]}: {policy.key}"},
    }
    if setting.type == "integer":
        drawn |= {"minimum": setting.minimum, "maximum": setting.maximum}
    elif setting.type == "array":
        items: dict[str, object] = {"type": "string", "title": words.title(policy)}
        items |= {"minLength": 1, "maxLength": setting.items.max_length}
        items |= _pattern(setting.items.format)
        drawn |= {"maxItems": setting.max_items, "items": items}
    elif setting.enum:
        titles = [words.value_label(policy, value) for value in setting.enum]
        drawn["enum"] = list(setting.enum)
        drawn["options"] = {**_options(drawn), "enum_titles": titles}
    elif setting.type == "string":
        placeholder = {"placeholder": str(policy.example("macos"))}
        drawn |= {"maxLength": setting.max_length, **_pattern(setting.format)}
        drawn["options"] = {**_options(drawn), "inputAttributes": placeholder}
    return drawn


def _options(drawn: Mapping[str, object]) -> dict[str, object]:
    options = drawn["options"]
    assert isinstance(options, dict)
    return options


def _pattern(name: str) -> dict[str, str]:
    return {"pattern": _PATTERNS[name]} if name else {}
