"""Owns reading one key of the Windows registry into plain values.

It never writes to the registry, and on other systems it finds nothing.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import winreg

    def read_registry_key(hive: str, key: str) -> dict[str, object] | None:
        """Return a key's values, its subkeys as lists; None when there is no such key.

        A list is a value of several texts, or a subkey with values named 1, 2, 3 …; where both
        stand the value counts. The 64-bit view is read. Raises OSError when the key is there and
        can't be read.
        """
        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        try:
            opened = winreg.OpenKey(getattr(winreg, hive), key, 0, access)
        except FileNotFoundError:
            return None
        with opened:
            subkeys, count, _ = winreg.QueryInfoKey(opened)
            values: dict[str, object] = {}
            for index in range(count):
                name, value, _ = winreg.EnumValue(opened, index)
                values[name] = value
            for index in range(subkeys):
                name = winreg.EnumKey(opened, index)
                if name not in values:
                    values[name] = numbered_list(read_registry_key(hive, f"{key}\\{name}") or {})
        return values

else:

    def read_registry_key(hive: str, key: str) -> dict[str, object] | None:
        """Return None: this system has no registry."""
        return None


def numbered_list(entries: dict[str, object]) -> list[object]:
    """Return the values named by numbers in their order; others stand last by name."""
    numbered = sorted((int(name), name) for name in entries if name.isdecimal())
    named = sorted(name for name in entries if not name.isdecimal())
    return [entries[name] for _, name in numbered] + [entries[name] for name in named]
