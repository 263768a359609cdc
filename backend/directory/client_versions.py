"""Owns which versions of Parley a firm's backend works with, and which newer one it tells of.

It never holds a program: IT installs versions, this only names them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, delete, insert, select

from backend.directory.firm_settings import FirmSettingRefused
from backend.storage.tables import properties
from contract.versions import is_older, parse_version

LOWEST_VERSION = "0.1.0"
_VERSIONS = "client.versions"
_LONGEST_NOTE = 200
_LONGEST_PAGE = 1_000


class ClientVersions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`minimum` is refused below; `newest` is told of, with a page to get it from and a note."""

    minimum: str = LOWEST_VERSION
    newest: str = ""
    page: str = ""
    note: str = ""


def client_versions_of(connection: Connection) -> ClientVersions:
    """Return what an administrator has set, what this backend came with where nothing is set."""
    kept = connection.execute(
        select(properties.c.value).where(properties.c.name == _VERSIONS)
    ).scalar()
    return msgspec.json.decode(kept, type=ClientVersions) if kept else ClientVersions()


def keep_client_versions(connection: Connection, versions: ClientVersions) -> None:
    """Set them all; raises FirmSettingRefused for what clients could make nothing of."""
    _check(versions)
    connection.execute(delete(properties).where(properties.c.name == _VERSIONS))
    value = msgspec.json.encode(versions).decode()
    connection.execute(insert(properties).values(name=_VERSIONS, value=value))


def _check(versions: ClientVersions) -> None:
    for text in filter(None, (versions.minimum, versions.newest)):
        if parse_version(text) is None:
            raise FirmSettingRefused(f"{text!r} is no version: write one such as 1.4.0.")
    if is_older(versions.minimum, LOWEST_VERSION) or not versions.minimum:
        raise FirmSettingRefused(f"This backend works with {LOWEST_VERSION} or newer only.")
    if versions.newest and is_older(versions.newest, versions.minimum):
        raise FirmSettingRefused("The newest version can't be older than the lowest one.")
    parts = urlsplit(versions.page)
    if versions.page and not (parts.scheme == "https" and parts.hostname and not parts.username):
        raise FirmSettingRefused("The page must look like https://it.example.com/parley.")
    if len(versions.page) > _LONGEST_PAGE or len(versions.note) > _LONGEST_NOTE:
        raise FirmSettingRefused(f"The note may hold {_LONGEST_NOTE} characters.")
    if not versions.note.isprintable():
        raise FirmSettingRefused("The note must be one line of plain text.")
