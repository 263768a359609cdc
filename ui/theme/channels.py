"""How each channel is shown: its name, its badge's letters and colours.

It never says what a channel can do.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.wire import Channel


@dataclass(frozen=True, slots=True)
class ChannelLook:
    """A channel's proper name with its badge: letters, ground and ink (`#RRGGBB`)."""

    name: str
    letters: str
    ground: str
    ink: str = "#FFFFFF"


_LOOKS: dict[Channel, ChannelLook] = {
    Channel.WHATSAPP: ChannelLook("WhatsApp", "WA", "#1FA855"),
    Channel.LINE: ChannelLook("LINE", "LN", "#06A94A"),
    Channel.WECHAT: ChannelLook("WeChat", "微", "#07A350"),
    Channel.TELEGRAM: ChannelLook("Telegram", "TG", "#1F93D1"),
    Channel.SIGNAL: ChannelLook("Signal", "SG", "#3A76F0"),
    Channel.SMS: ChannelLook("SMS", "SM", "#6B7A90"),
    Channel.IMESSAGE: ChannelLook("iMessage", "iM", "#2E8FD6"),
    Channel.MATRIX: ChannelLook("Matrix", "[m]", "#0B0B0B"),
}


def channel_look(channel: Channel) -> ChannelLook:
    """Return how `channel` is shown."""
    return _LOOKS[channel]


def channel_name(channel: Channel) -> str:
    """Return the channel's proper name, such as `WhatsApp`."""
    return _LOOKS[channel].name
