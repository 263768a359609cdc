"""Owns how much each channel takes: rates per account, per chat and per group, as a table.

It never counts what was sent: pacing does.

Sources: Meta's "Cloud API, throughput" and "pair rate limits"; Telegram's "Bots FAQ, my bot is
hitting limits"; LINE's "Messaging API, rate limits". Where a vendor names no figure there is none
here, and its own answer is honoured.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import msgspec

from contract.wire import Channel

# What an administrator may set for an account beside its module's own fields.
PER_SECOND = "most_per_second"
PER_CHAT = "most_per_chat_per_minute"
PER_GROUP = "most_per_group_per_minute"


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """One message every `every_ms`, after up to `burst` at once."""

    every_ms: float
    burst: int = 1

    @classmethod
    def within(cls, count: int, period_s: float) -> Rate:
        """Return a rate that lets at most `count` messages go in any `period_s`.

        A fifth of them may go at once, the others evenly: a vendor that counts in windows of its
        own never sees more.
        """
        burst = max(1, count // 5)
        return cls(every_ms=period_s * 1000 / max(1, count - burst), burst=burst)

    def no_faster_than(self, other: Rate) -> Rate:
        """Return the slower of two rates, with the smaller burst."""
        return Rate(every_ms=max(self.every_ms, other.every_ms), burst=min(self.burst, other.burst))


class RateLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one account keeps to; None where nothing is known.

    With a `chat_growth` of g a chat that the vendor limits for the n-th time in a row waits at
    least g to the power of n seconds.
    """

    account: Rate | None = None
    chat: Rate | None = None
    group: Rate | None = None
    chat_growth: int = 0


NO_LIMITS = RateLimits()
CHANNEL_RATES: Mapping[Channel, RateLimits] = MappingProxyType(
    {
        # A burst to one client borrows from the future: 45 at once, then one every six seconds.
        Channel.WHATSAPP: RateLimits(
            account=Rate.within(80, 1.0), chat=Rate(every_ms=6_000, burst=45), chat_growth=4
        ),
        Channel.TELEGRAM: RateLimits(
            account=Rate.within(30, 1.0), chat=Rate(every_ms=1_000), group=Rate.within(20, 60.0)
        ),
        Channel.LINE: RateLimits(account=Rate.within(2_000, 1.0)),
    }
)


@runtime_checkable
class Paced(Protocol):
    """What a channel module has when its vendor's limits differ from its channel's."""

    rates: RateLimits


class BadRate(ValueError):
    """A rate that was set for an account is no number above zero; the text says which."""


def rates_of(channel: Channel, module: object, settings: Mapping[str, str]) -> RateLimits:
    """Return an account's limits: its module's or channel's, lowered by its settings.

    Settings never raise what the vendor is known to take. Raises BadRate.
    """
    known = module.rates if isinstance(module, Paced) else CHANNEL_RATES.get(channel, NO_LIMITS)
    return RateLimits(
        account=_lowered(known.account, settings, PER_SECOND, 1.0),
        chat=_lowered(known.chat, settings, PER_CHAT, 60.0),
        group=_lowered(known.group, settings, PER_GROUP, 60.0),
        chat_growth=known.chat_growth,
    )


def _lowered(
    known: Rate | None, settings: Mapping[str, str], name: str, period_s: float
) -> Rate | None:
    text = settings.get(name, "").strip()
    if not text:
        return known
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise BadRate(f"{name} must be a whole number above zero.")
    asked = Rate.within(int(text), period_s)
    return asked if known is None else asked.no_faster_than(known)
