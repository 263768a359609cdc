"""Owns the refusal of a second account that is at its vendor the same as one there is.

It never keeps, prints or logs a setting: it compares what the accounts hold, and names an account.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, select

from backend.channels.modules import ChannelModule, SettingField
from backend.directory.account_settings import read_settings
from backend.directory.administration import AdministrationRefused
from backend.storage.tables import channel_accounts


def refuse_twin(
    connection: Connection, module: ChannelModule, account_id: str, settings: Mapping[str, str]
) -> None:
    """Raise AdministrationRefused where another account in use has the same credential.

    What comes in would go to either of the two. An account that has it already may be changed.
    """
    columns = channel_accounts.c
    others = connection.execute(
        select(columns.account_id)
        .where(columns.connector == module.name, columns.account_id != account_id)
        .order_by(columns.account_id)
    ).scalars()
    kept = read_settings(connection)
    before = kept.get(account_id, {})
    for other in others.all():
        theirs = kept.get(other, {})
        same = _shared(module, settings, theirs)
        if same and not _shared(module, before, theirs):
            raise AdministrationRefused(
                f"The account {other!r} has the same {' and '.join(same)}: clients' messages would "
                "come to either of the two. Use that account (`admin channel set` changes it, "
                "`admin account join` lets others write from it), or take it out of use first with "
                f"`admin channel remove --account {other}`."
            )


def _shared(
    module: ChannelModule, one: Mapping[str, str], other: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the names of the first settings that make both the same at the vendor, or none."""
    groups: defaultdict[str, list[SettingField]] = defaultdict(list)
    for field in module.fields:
        if field.identity:
            groups[field.identity].append(field)
    for fields in groups.values():
        told = [_told(field, one) for field in fields]
        if all(told) and told == [_told(field, other) for field in fields]:
            return tuple(field.name for field in fields)
    return ()


def _told(field: SettingField, settings: Mapping[str, str]) -> str:
    """Return what a setting says of the account, in one way of writing."""
    value = "".join(settings.get(field.name, "").split())
    if field.identity_until:
        value = value.partition(field.identity_until)[0]
    return value if field.secret else value.casefold()
