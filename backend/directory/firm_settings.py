"""Owns what a firm's administrator sets for the whole workspace, such as its public address.

It never holds a secret.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select

from backend.storage.tables import firms, properties

_PUBLIC_URL = "firm.public_url"


class FirmSettingRefused(Exception):
    """A setting can't be taken; the text is a plain sentence that says what to do."""


def firm_of(connection: Connection) -> tuple[str, str]:
    """Return the id and the name of the workspace's one firm."""
    row = connection.execute(select(firms.c.firm_id, firms.c.display_name)).one()
    return row.firm_id, row.display_name


def public_url_of(connection: Connection) -> str:
    """Return the address under which vendors reach this backend, empty where none is set."""
    return (
        connection.execute(
            select(properties.c.value).where(properties.c.name == _PUBLIC_URL)
        ).scalar()
        or ""
    )


def keep_public_url(connection: Connection, url: str) -> None:
    """Set the address under which vendors reach this backend; an empty one takes it away."""
    url = checked_public_url(url)
    connection.execute(delete(properties).where(properties.c.name == _PUBLIC_URL))
    if url:
        connection.execute(insert(properties).values(name=_PUBLIC_URL, value=url))


def checked_public_url(url: str) -> str:
    """Return an address without a slash at its end; raises FirmSettingRefused for a bad one.

    Vendors sign over it and speak TLS only: it begins with https://, but for loopback.
    """
    parts = urlsplit(url)
    loopback = parts.hostname in ("127.0.0.1", "localhost")
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    fine = parts.scheme == "https" or (parts.scheme == "http" and loopback)
    if url and not (fine and parts.hostname and plain):
        raise FirmSettingRefused(
            "The public address must look like https://parley.example.com: vendors call it with "
            "TLS, and nothing but a path may follow the name."
        )
    return url.rstrip("/")
