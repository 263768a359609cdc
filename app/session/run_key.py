"""Owns reading and writing text values of one key of the user's own registry on Windows.

It never writes outside HKEY_CURRENT_USER; on other systems it keeps nothing.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import winreg

    class RunKey:
        """The values of one key; the key is made when something is written."""

        def __init__(self, key: str) -> None:
            self._key = key

        def get(self, name: str) -> str | None:
            """Return a value, None when there is none."""
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, self._key) as opened:
                    return str(winreg.QueryValueEx(opened, name)[0])
            except FileNotFoundError:
                return None

        def put(self, name: str, text: str) -> None:
            """Write a value; raises OSError."""
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, self._key) as opened:
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, text)

        def remove(self, name: str) -> None:
            """Remove a value that may be there; raises OSError."""
            access = winreg.KEY_SET_VALUE
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, self._key, 0, access) as opened:
                    winreg.DeleteValue(opened, name)
            except FileNotFoundError:
                return

else:

    class RunKey:
        """No registry here: nothing is there and nothing is kept."""

        def __init__(self, key: str) -> None:
            self._key = key

        def get(self, name: str) -> str | None:
            """Return None."""
            return None

        def put(self, name: str, text: str) -> None:
            """Refuse: raises OSError."""
            raise OSError("this system has no registry")

        def remove(self, name: str) -> None:
            """Do nothing."""
