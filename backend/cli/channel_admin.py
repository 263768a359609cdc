"""The commands that add, check, change, list and remove channel accounts, step by step.

It never prints a secret, and never changes anything at a vendor.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from backend.channels.contract import Account, Capabilities, Inbound
from backend.channels.modules import (
    ChannelContext,
    ChannelModule,
    CheckLine,
    ModuleMissing,
    SettingField,
    all_fields,
    installed_names,
    load_module,
    missing_settings,
    whole_settings,
)
from backend.channels.rates import BadRate, rates_of
from backend.channels.vendor_http import VendorHttp
from backend.channels.webhooks import Webhook
from backend.cli.firm_opening import FirmDesk, open_firm_desk
from backend.cli.keys import read_settings_line
from backend.cli.printing import print_line
from backend.directory.account_settings import read_settings
from backend.directory.account_twins import refuse_twin
from backend.directory.administration import AdministrationRefused
from backend.directory.firm_accounts import (
    NewAccount,
    account_lines,
    add_account,
    change_account,
    remove_account,
)
from backend.directory.firm_settings import public_url_of
from backend.services import system_clock_utc_ms
from backend.storage.tables import channel_accounts
from contract.ids import AccountId, ConversationId
from contract.wire import IdempotencyClass

CREDENTIALS = "credentials"
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NO_URL = (
    "This channel's vendor calls the backend: set the address it calls first, with `admin firm "
    "set --public-url https://…`."
)

_NOT_KEPT = (
    "The credentials could not be confirmed, so nothing was kept. Mend what the check says, or "
    "keep them all the same with --keep."
)


class Looked(NamedTuple):
    """What a look at an account and its vendor found."""

    account: Account
    capabilities: Capabilities
    lines: tuple[CheckLine, ...]
    webhook_url: str


def run_channel(arguments: argparse.Namespace) -> int:
    """Carry out one command; returns the exit status (1 where the check says no).

    Raises AdministrationRefused, WorkspaceError, DatabaseError, or ValueError.
    """
    try:
        if arguments.act == "modules":
            return _modules()
        with open_firm_desk(arguments) as desk:
            return _COMMANDS[arguments.act](arguments, desk)
    except ModuleMissing as error:
        raise AdministrationRefused(str(error)) from error


def _modules() -> int:
    for name in installed_names():
        try:
            module = load_module(name)
        except ModuleMissing as error:
            print_line({"module": name, "fault": str(error)})
            continue
        print_line(
            {
                "module": name,
                "channel": module.channel,
                "needs_public_url": module.needs_public_url,
                "switched_off": module.switched_off,
                "fields": module.fields,
            }
        )
    return 0


def _add(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    module = load_module(arguments.module)
    if module.switched_off:
        raise AdministrationRefused(module.switched_off)
    public_url = desk.read(public_url_of)
    if module.needs_public_url and not public_url:
        raise AdministrationRefused(_NO_URL)
    account_id = arguments.account or f"acc-{module.name}-{secrets.token_hex(3)}"
    if _ACCOUNT_ID.fullmatch(account_id) is None:
        raise AdministrationRefused("An account's id holds letters, digits, - and _ only.")
    settings = _settings(module, arguments, desk, {})
    desk.read(lambda c: refuse_twin(c, module, account_id, settings))
    looked = _look(module, account_id, settings, public_url, check=not arguments.no_check)
    if not _tell(looked, keep=arguments.keep):
        return 1
    new = NewAccount(
        account=looked.account,
        label=arguments.label,
        members=tuple(arguments.member),
        pooled=arguments.pooled,
        capabilities=looked.capabilities,
        consent_mode=arguments.consent,
    )
    hidden, now_utc_ms = _secret_names(module), system_clock_utc_ms()

    def add(connection: Connection) -> None:
        refuse_twin(connection, module, account_id, settings)
        add_account(connection, desk.firm_id, new, settings, hidden, desk.by, now_utc_ms)

    desk.write(add)
    print_line({"account": account_id, "webhook_url": looked.webhook_url})
    return 0


def _set(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    module, label = _known(desk, arguments.account)
    before = desk.read(read_settings).get(arguments.account, {})
    settings = _settings(module, arguments, desk, before)
    public_url = desk.read(public_url_of)
    desk.read(lambda c: refuse_twin(c, module, arguments.account, settings))
    looked = _look(module, arguments.account, settings, public_url, check=not arguments.no_check)
    if not _tell(looked, keep=arguments.keep):
        return 1
    new = NewAccount(
        account=looked.account,
        label=label,
        members=(),
        pooled=False,
        capabilities=looked.capabilities,
    )
    hidden, now_utc_ms = _secret_names(module), system_clock_utc_ms()

    def change(connection: Connection) -> None:
        refuse_twin(connection, module, arguments.account, settings)
        change_account(connection, desk.firm_id, new, settings, hidden, desk.by, now_utc_ms)

    desk.write(change)
    print_line({"account": arguments.account, "webhook_url": looked.webhook_url})
    return 0


def _check(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    module, _ = _known(desk, arguments.account)
    settings = desk.read(read_settings).get(arguments.account, {})
    looked = _look(module, arguments.account, settings, desk.read(public_url_of), check=True)
    _tell(looked, keep=True)
    print_line({"account": arguments.account, "webhook_url": looked.webhook_url})
    return 0 if all(line.ok for line in looked.lines) else 1


def _remove(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    now_utc_ms = system_clock_utc_ms()
    desk.write(lambda c: remove_account(c, desk.firm_id, arguments.account, desk.by, now_utc_ms))
    print_line({"removed": arguments.account})
    return 0


def _list(_arguments: argparse.Namespace, desk: FirmDesk) -> int:
    for line in desk.read(account_lines):
        print_line(line)
    return 0


def _known(desk: FirmDesk, account_id: str) -> tuple[ChannelModule, str]:
    """Return an account's module and label; raises AdministrationRefused."""
    columns = channel_accounts.c
    row = desk.read(
        lambda c: c.execute(
            select(columns.connector, columns.label).where(
                columns.account_id == account_id, columns.connector != ""
            )
        ).one_or_none()
    )
    if row is None:
        raise AdministrationRefused(f"There is no account {account_id!r} in use.")
    return load_module(row.connector), row.label


def _look(
    module: ChannelModule,
    account_id: str,
    settings: Mapping[str, str],
    public_url: str,
    *,
    check: bool,
) -> Looked:
    """Ask the connector what it can do here, and the vendor whether all is well."""
    return asyncio.run(_looked(module, account_id, settings, public_url, check=check))


async def _looked(
    module: ChannelModule,
    account_id: str,
    settings: Mapping[str, str],
    public_url: str,
    *,
    check: bool,
) -> Looked:
    whole = whole_settings(module, settings)
    async with VendorHttp() as http:
        context = ChannelContext(lambda _: whole, http, system_clock_utc_ms, public_url)
        connector = module.connect(context)
        account = Account(
            account_id=AccountId(account_id),
            channel=module.channel,
            connector=module.name,
            idempotency=IdempotencyClass.NONE,
        )
        capabilities = connector.outbound.capabilities(account, ConversationId(""))
        account = msgspec.structs.replace(account, idempotency=capabilities.idempotency)
        lines = await module.check(context, account) if check else ()
    return Looked(
        account, capabilities, lines, _webhook_url(connector.inbound, account, public_url)
    )


def _webhook_url(inbound: Inbound, account: Account, public_url: str) -> str:
    """Return the address to enter at the vendor, empty where it calls nobody."""
    if not isinstance(inbound, Webhook) or not public_url:
        return ""
    return f"{public_url}/hooks/{account.connector}/{account.account_id}"


def _tell(looked: Looked, *, keep: bool) -> bool:
    """Print what the check found; false when the credentials don't hold and must not be kept."""
    for line in looked.lines:
        print_line(line)
    good = all(line.ok for line in looked.lines if line.step == CREDENTIALS)
    if not good and not keep:
        print_line({"fault": _NOT_KEPT})
    return good or keep


def _settings(
    module: ChannelModule,
    arguments: argparse.Namespace,
    desk: FirmDesk,
    before: Mapping[str, str],
) -> dict[str, str]:
    """Return an account's settings: what stands, what options and stdin say, what is answered."""
    fields = {field.name: field for field in all_fields(module)}
    given = {**desk.told.settings, **_options(arguments, fields)}
    values = {**before, **given}
    if missing_settings(module, values):
        asked = _ask(module, values) if sys.stdin.isatty() else {}
        if not sys.stdin.isatty() and arguments.key_file is not None:
            asked = read_settings_line()
        values, given = {**values, **asked}, {**given, **asked}
    unknown = ", ".join(sorted(given.keys() - fields.keys()))
    if unknown:
        raise AdministrationRefused(
            f"The module {module.name} has no setting {unknown}; it has {', '.join(fields)}."
        )
    missing = ", ".join(field.name for field in missing_settings(module, values))
    if missing:
        raise AdministrationRefused(f"Missing for the module {module.name}: {missing}.")
    try:
        rates_of(module.channel, module, values)
    except BadRate as error:
        raise AdministrationRefused(str(error)) from error
    return values


def _options(arguments: argparse.Namespace, fields: Mapping[str, SettingField]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in arguments.given:
        name, _, value = text.partition("=")
        if name in fields and fields[name].secret:
            raise AdministrationRefused(
                f"{name} is a secret, which others could read on the command line: take "
                f"--secret-file {name}=FILE, or answer when asked."
            )
        values[name] = value
    for text in arguments.secret_file:
        name, _, path = text.partition("=")
        try:
            values[name] = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise AdministrationRefused(f"The file of {name} can't be read.") from error
    return values


def _ask(module: ChannelModule, values: Mapping[str, str]) -> dict[str, str]:
    """Ask for each setting that nothing told yet; an empty answer leaves an optional one out."""
    answers: dict[str, str] = {}
    for field in module.fields:
        if values.get(field.name):
            continue
        hint = "" if field.required else f" (optional; default: {field.default or 'none'})"
        sys.stderr.write(f"{field.words}{hint}{os.linesep}")
        ask: Callable[[str], str] = getpass.getpass if field.secret else input
        answers[field.name] = ask(f"  {field.name}: ").strip()
    return answers


def _secret_names(module: ChannelModule) -> frozenset[str]:
    return frozenset(field.name for field in module.fields if field.secret)


_COMMANDS: dict[str, Callable[[argparse.Namespace, FirmDesk], int]] = {
    "add": _add,
    "set": _set,
    "check": _check,
    "remove": _remove,
    "list": _list,
}
