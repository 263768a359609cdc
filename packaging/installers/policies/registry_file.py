"""Writes the sample for the Windows registry editor, for a machine without a domain.

It never writes outside Parley's policies key.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.settings.schema import Value
from app.settings.sources import POLICIES_KEY_WINDOWS
from installers.policies.catalogue import Policy, RegistryKind

_HEAD = "Windows Registry Editor Version 5.00"
_ADVICE = (
    "Parley's policies for everybody on this computer: a sample, change it before importing it.",
    "Lines that begin with a semicolon set nothing. For one user write HKEY_CURRENT_USER instead.",
    "Parley reads policies when it starts. docs/managed-settings.md explains every value.",
)


def registry_file(
    policies: tuple[Policy, ...], values: Mapping[str, Value], *, with_others: bool = True
) -> bytes:
    """Return a .reg file that sets `values`; the other settings' examples are commented out.

    UTF-16 with a byte order mark and CRLF, as the registry editor writes it.
    """
    lines = [_HEAD, "", *(f"; {line}" for line in _ADVICE), ""]
    lines.append(f"[HKEY_LOCAL_MACHINE\\{POLICIES_KEY_WINDOWS}]")
    category = ""
    for policy in policies:
        is_set = policy.key in values
        if not is_set and not with_others:
            continue
        if policy.setting.category != category:
            category = policy.setting.category
            lines += ["", f"; {category}"]
        late = "" if policy.acted_on else " (no effect yet: this version only reads it)"
        lines.append(f"; {policy.setting.title}{late}")
        value = values[policy.key] if is_set else policy.example("windows")
        if policy.registry_kind in {RegistryKind.EXPANDABLE, RegistryKind.TEXTS}:
            shown = " | ".join(value) if isinstance(value, tuple) else str(value)
            lines.append(f";   below in hexadecimal: {shown}")
        line = f'"{policy.key}"={_data(policy, value)}'
        lines.append(line if is_set else f";{line}")
    return "\ufeff{}\r\n".format("\r\n".join(lines)).encode("utf-16-le")


def _data(policy: Policy, value: Value) -> str:
    match policy.registry_kind:
        case RegistryKind.DWORD:
            assert isinstance(value, int)
            return f"dword:{value:08x}"
        case RegistryKind.TEXT:
            text = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{text}"'
        case RegistryKind.EXPANDABLE:
            return f"hex(2):{_bytes([str(value)])}"
        case RegistryKind.TEXTS:
            assert isinstance(value, tuple)
            return f"hex(7):{_bytes([*value, ''])}"


def _bytes(texts: list[str]) -> str:
    """Return texts, each with its closing zero, as the bytes the registry keeps."""
    kept = "".join(f"{text}\0" for text in texts).encode("utf-16-le")
    return ",".join(f"{byte:02x}" for byte in kept)
