"""Owns what makes a channel: its module, its accounts' settings, the finding of installed ones.

It never starts a connector and never loads a module that nobody named.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from backend.channels.contract import Account, Attempt, Connector, OutboundFile
from backend.channels.rates import PER_CHAT, PER_GROUP, PER_SECOND
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel

GROUP = "parley.channels"
# Those that come with Parley; each is loaded only when an account names it.
BUILT_IN: Mapping[str, str] = {
    "whatsapp": "backend.channels.whatsapp",
    "telegram": "backend.channels.telegram",
    "line": "backend.channels.line",
    "wechat": "backend.channels.wechat",
    "wecom": "backend.channels.wecom",
    "signal": "backend.channels.signal",
    "smpp": "backend.channels.smpp",
    "sms_http": "backend.channels.sms_http",
    "matrix": "backend.channels.matrix",
    "apple": "backend.channels.apple",
}


class SettingField(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of an account: `words` say what it is and where the vendor shows it.

    A `secret` one is never printed again once it was given. Fields of one `identity` tell together
    who the account is at the vendor, in any word: no two accounts of a module may agree in all of
    them. Where the vendor's own id is the beginning of a value, `identity_until` ends it.
    """

    name: str
    words: str
    secret: bool = False
    required: bool = True
    default: str = ""
    identity: str = ""
    identity_until: str = ""


# What every account may be given besides: how much of what its vendor takes it is to use.
PACE_FIELDS = (
    SettingField(
        name=PER_SECOND, words="At most this many messages a second in all.", required=False
    ),
    SettingField(
        name=PER_CHAT, words="At most this many messages a minute to one client.", required=False
    ),
    SettingField(
        name=PER_GROUP, words="At most this many messages a minute to one group.", required=False
    ),
)


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the guided check: what was looked at, whether it is well, and what to do."""

    step: str
    ok: bool
    words: str


class FileLinks(Protocol):
    """Addresses for a vendor that fetches files instead of being sent them."""

    def link(self, file: OutboundFile, attempt: Attempt) -> str:
        """Return where the vendor may fetch a file of the message this attempt sends, for a day."""

    def cover(self) -> str:
        """Return the address of a neutral picture (PNG), for what has no preview of its own."""


class ChannelContext(NamedTuple):
    """What a connector is given; `settings_of` raises KeyError for an account without settings.

    `public_url` is where the vendor reaches this backend, without a slash at its end; empty
    where webhooks are not set up. `file_links` is there in a firm's running backend; a channel
    that sends files by address has them on only where `public_url` is set.
    """

    settings_of: Callable[[AccountId], Mapping[str, str]]
    http: VendorHttp
    now: Callable[[], int]
    public_url: str = ""
    file_links: FileLinks | None = None


@runtime_checkable
class ChannelModule(Protocol):
    """One channel as a package: what its accounts need, and its connector.

    `switched_off` is empty, or says in a sentence why the module can't be used.
    """

    name: str
    channel: Channel
    fields: tuple[SettingField, ...]
    needs_public_url: bool
    switched_off: str

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all accounts of this module."""

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Look over credentials and webhook with the vendor; never changes anything there."""


class ModuleMissing(Exception):
    """No installed package brings a channel module of this name; the text says what to do."""


def installed_names() -> tuple[str, ...]:
    """Return the names of all channel modules that can be loaded, in alphabetical order."""
    return tuple(sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


def load_module(name: str) -> ChannelModule:
    """Return a channel's module by name; raises ModuleMissing.

    A package of anybody's brings one with an entry point of the group `parley.channels` that
    leads to an object of ChannelModule; no package can replace one that comes with Parley.
    """
    found: object = None
    try:
        if name in BUILT_IN:
            found = getattr(importlib.import_module(BUILT_IN[name]), "MODULE", None)
        else:
            for point in entry_points(group=GROUP, name=name):
                found = point.load()
    except (ImportError, AttributeError) as error:
        raise ModuleMissing(
            f"The channel module {name!r} can't be loaded. Is its package whole?"
        ) from error
    if found is None:
        names = ", ".join(installed_names())
        raise ModuleMissing(f"There is no channel module {name!r}. Installed are: {names}.")
    if not isinstance(found, ChannelModule) or found.name != name:
        raise ModuleMissing(
            f"The channel module {name!r} does not keep the contract of "
            "backend.channels.modules.ChannelModule. Ask who made it for a newer one."
        )
    return found


def missing_settings(module: ChannelModule, given: Mapping[str, str]) -> tuple[SettingField, ...]:
    """Return the required fields that have no value."""
    return tuple(field for field in module.fields if field.required and not given.get(field.name))


def all_fields(module: ChannelModule) -> tuple[SettingField, ...]:
    """Return the settings an account of a module may have, those of every account last."""
    return (*module.fields, *PACE_FIELDS)


def whole_settings(module: ChannelModule, given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings with defaults filled in; names the module does not know are dropped."""
    return {field.name: given.get(field.name) or field.default for field in all_fields(module)}
