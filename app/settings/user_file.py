"""Owns the user's own settings file: read whole, written atomically.

It never holds a managed setting, and it never loses the old file to a failed write.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.settings.schema import Origin, Setting, Value
from app.settings.sources import Source, read_file
from app.settings.values import judge

FILE_NAME = "settings.json"
_FILE_MODE = 0o600


class UserSettings:
    """The settings file in one folder; it may not exist yet."""

    def __init__(self, config_dir: Path) -> None:
        self.path = config_dir / FILE_NAME

    def read(self) -> Source:
        """Read the file; an unreadable one gives no values and names its fault."""
        return read_file(self.path, Origin.USER) or Source(Origin.USER, str(self.path), {})

    def save(
        self, schema: Mapping[str, Setting], changes: Mapping[str, Value | None]
    ) -> tuple[str, ...]:
        """Change some settings (None: back to the default); return what could not be saved.

        All or nothing: with any fault the file stays as it was. A file that could not be read
        before is kept aside as `settings.json.broken`. Writes and syncs to disk.
        """
        faults = [
            f"{key}: {reason}"
            for key, value in changes.items()
            if (reason := _fault(schema.get(key), value))
        ]
        if faults:
            return tuple(faults)
        before = self.read()
        values = {key: value for key, value in before.values.items() if key not in changes}
        values |= {key: value for key, value in changes.items() if value is not None}
        try:
            if before.fault and self.path.exists():
                self.path.replace(self.path.with_name(f"{FILE_NAME}.broken"))
            _write_atomically(self.path, msgspec.json.encode(values, order="sorted"))
        except OSError as error:
            return (f"Your settings could not be saved: {error.strerror or error}",)
        return ()


def _fault(setting: Setting | None, value: Value | None) -> str:
    if setting is None:
        return "there is no such setting"
    if Origin.USER not in setting.origins:
        return "only your IT department can set this"
    return "" if value is None else judge(setting, value).reason


def _write_atomically(path: Path, content: bytes) -> None:
    import tempfile  # here, because it costs the start of the application

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(content, indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_FILE_MODE)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
