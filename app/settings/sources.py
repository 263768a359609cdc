"""Owns reading raw settings from where each system keeps them: files, plists, the registry.

It never judges values, never writes, and never fails: what can't be read becomes a fault.
"""

from __future__ import annotations

import codecs
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.settings.keys import Key
from app.settings.registry import read_registry_key
from app.settings.schema import Origin

MANAGED_FILE_LINUX = Path("/etc/parley/policies/managed/policies.json")
INSTALLER_FILE_LINUX = Path("/etc/parley/defaults.json")
MACOS_DOMAIN = "com.parley.desktop"
MANAGED_FOLDER_MACOS = Path("/Library/Managed Preferences")
INSTALLER_FILE_MACOS = Path(f"/Library/Preferences/{MACOS_DOMAIN}.plist")
POLICIES_KEY_WINDOWS = r"Software\Policies\Parley"
INSTALLER_KEY_WINDOWS = r"Software\Parley"
MAX_FILE_BYTES = 1024 * 1024
# What plistlib lets through besides its own: a date that is none, an encoding nobody knows, tags
# that close what was never open.
_NOT_A_PLIST = (ValueError, LookupError, AttributeError, TypeError, RecursionError)


class Source(NamedTuple):
    """Raw values from one place; `fault` is not empty when the place could not be read.

    What is `barred` there does not count, since IT says elsewhere what holds on this computer.
    """

    origin: Origin
    place: str
    values: Mapping[str, object]
    fault: str = ""
    barred: frozenset[str] = frozenset()


def read_system_sources(user_name: str = "", platform: str = sys.platform) -> list[Source]:
    """Read managed settings and installer defaults of this system, the strongest first.

    `user_name` finds the user's own managed preferences on macOS. Absent places are left out.
    """
    if platform == "win32":
        return _registry_sources()
    if platform == "darwin":
        name = f"{MACOS_DOMAIN}.plist"
        paths = [(MANAGED_FOLDER_MACOS / name, Origin.MANAGED)]
        if user_name:
            paths.append((MANAGED_FOLDER_MACOS / user_name / name, Origin.MANAGED))
        paths.append((INSTALLER_FILE_MACOS, Origin.INSTALLER))
    else:
        paths = [
            (MANAGED_FILE_LINUX, Origin.MANAGED),
            (INSTALLER_FILE_LINUX, Origin.INSTALLER),
        ]
    return [source for path, origin in paths if (source := read_file(path, origin)) is not None]


def read_file(path: Path, origin: Origin) -> Source | None:
    """Read a JSON or plist file of settings; None when there is none.

    A link that leads nowhere is a fault: somebody meant something to be there.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return Source(origin, str(path), {}, "it is not an ordinary file")
        if found.st_size > MAX_FILE_BYTES:
            return Source(origin, str(path), {}, "the file is larger than 1 MiB")
        content = path.read_bytes()
    except FileNotFoundError:
        leads_nowhere = "the file that this link names is not there"
        return Source(origin, str(path), {}, leads_nowhere) if path.is_symlink() else None
    except OSError as error:
        return Source(origin, str(path), {}, f"it can't be read: {error.strerror or error}")
    values, fault = _plist(content) if path.suffix == ".plist" else _json(content)
    return Source(origin, str(path), values, fault)


def _json(content: bytes) -> tuple[Mapping[str, object], str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return {}, "it is written in UTF-16; save it in UTF-8"
    try:
        plain = content.removeprefix(codecs.BOM_UTF8)
        return msgspec.json.decode(plain, type=dict[str, object]), ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {}, f"it is not a JSON object: {error}"


def _plist(content: bytes) -> tuple[Mapping[str, object], str]:
    import plistlib
    from xml.parsers.expat import ExpatError

    try:
        values = plistlib.loads(content)
    except (*_NOT_A_PLIST, ExpatError) as error:
        return {}, f"it is not a property list: {error}"
    return (values, "") if isinstance(values, dict) else ({}, "it is not a dictionary")


def _registry_sources() -> list[Source]:
    """Read the registry; the user's installation counts only where the computer has none.

    Else whoever may write to the own hive could say what only the firm's installation may. Where
    anything is managed that installation adds no certificate authority either.
    """
    machine, user = "HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER"
    managed = [_registry(hive, POLICIES_KEY_WINDOWS, Origin.MANAGED) for hive in (machine, user)]
    installed = _registry(machine, INSTALLER_KEY_WINDOWS, Origin.INSTALLER)
    if installed is None or not (installed.values or installed.fault):
        installed = _registry(user, INSTALLER_KEY_WINDOWS, Origin.INSTALLER)
        if installed is not None and any(one is not None for one in managed):
            installed = installed._replace(barred=frozenset({Key.BACKEND_CA_FILE}))
    return [source for source in (*managed, installed) if source is not None]


def _registry(hive: str, key: str, origin: Origin) -> Source | None:
    place = f"{hive}\\{key}"
    try:
        values = read_registry_key(hive, key)
    except OSError as error:
        return Source(origin, place, {}, f"it can't be read: {error.strerror or error}")
    return None if values is None else Source(origin, place, _as_named_here(values))


def _as_named_here(values: Mapping[str, object]) -> dict[str, object]:
    """Return values under the settings' own spelling: the registry knows no capitals."""
    own = {key.lower(): key.value for key in Key}
    return {own.get(name.lower(), name): value for name, value in values.items() if name}
