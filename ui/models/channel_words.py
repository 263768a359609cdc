"""Puts what is wrong with the person's channels into the words of banners.

It never reads a clock and never claims that a message is lost: each of them waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from contract.wire import Channel, ChannelTrouble
from ui.models.banner_words import BannerWords
from ui.models.times import clock_time, day_number, day_words
from ui.theme.channels import channel_name

_SHOW = "channel:"
_MOST = 3
_DAY_MS = 86_400_000
_BY_THEMSELVES = "Your messages wait in order and go out by themselves."
_DIAGNOSTICS = (("diagnostics", "Diagnostics"),)


def channel_banners(
    troubles: Sequence[ChannelTrouble], now_utc_ms: int = 0, zone: tzinfo | None = None
) -> tuple[BannerWords, ...]:
    """Return a strip for each channel that is not well, the gravest first, and few of them.

    Times are said in the person's own zone, with the day where `now_utc_ms` (0: not known) is
    another one.
    """
    ordered = sorted(troubles, key=lambda each: (each.kind != "refused", each.since_utc_ms))
    shown = [_banner(each, now_utc_ms, zone) for each in ordered[:_MOST]]
    left = len(ordered) - len(shown)
    if left:
        what = "One more channel is" if left == 1 else f"{left} more channels are"
        shown.append(BannerWords("channels", "warn", "", f"{what} not well.", _DIAGNOSTICS))
    return tuple(shown)


def channel_to_show(action: str) -> Channel | None:
    """Return the channel whose conversations a banner's action leads to; None for another one."""
    return Channel(action.removeprefix(_SHOW)) if action.startswith(_SHOW) else None


def _banner(trouble: ChannelTrouble, now_utc_ms: int, zone: tzinfo | None) -> BannerWords:
    name = channel_name(trouble.channel)
    if trouble.label:
        name = f"{name} ({trouble.label})"
    since = _moment(trouble.since_utc_ms, now_utc_ms, zone)
    tone, lead, text = "warn", f"{name} has been slow since {since}.", _BY_THEMSELVES
    if trouble.kind == "unreachable":
        lead = f"{name} has not been reachable since {since}."
    elif trouble.kind == "refused":
        tone, lead = "block", f"{name} needs your administrator: the account was refused."
        text = f"Your messages wait in order since {since}; nothing is lost."
    elif trouble.kind == "quota":
        lead = f"{name} takes no more messages: the firm’s quota is used up."
        text = _quota(trouble.until_utc_ms, now_utc_ms, zone)
    actions = _DIAGNOSTICS
    if trouble.waiting:
        actions = ((f"{_SHOW}{trouble.channel.value}", f"{trouble.waiting:,} waiting"),)
    return BannerWords(f"channel.{trouble.account_id}", tone, lead, text, actions)


def _quota(until_utc_ms: int | None, now_utc_ms: int, zone: tzinfo | None) -> str:
    """Say when there is quota again; what would wait for longer than a day does not go at all."""
    if until_utc_ms is None:
        return _BY_THEMSELVES
    until = _moment(until_utc_ms, now_utc_ms, zone)
    if until_utc_ms - now_utc_ms <= _DAY_MS:
        return f"Your messages wait until {until} and go out by themselves."
    return f"It begins anew {until}. Until then reach your clients on another channel."


def _moment(at_utc_ms: int, now_utc_ms: int, zone: tzinfo | None) -> str:
    clock = clock_time(at_utc_ms, zone)
    if not now_utc_ms or day_number(at_utc_ms, zone) == day_number(now_utc_ms, zone):
        return clock
    if at_utc_ms > now_utc_ms:
        return f"{day_words(at_utc_ms, at_utc_ms - 30 * _DAY_MS, zone)}, {clock}"
    day = day_words(at_utc_ms, now_utc_ms, zone)
    return f"{day.lower() if day == 'Yesterday' else day}, {clock}"
