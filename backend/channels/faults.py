"""The classes of what can go wrong at a channel, each with a plain sentence for a person.

It never decides what happens next: the delivery room maps each class to a state.
"""

from __future__ import annotations

from enum import StrEnum


class LimitScope(StrEnum):
    """What a vendor's limit holds for: the firm's account, or the chat with one client alone."""

    ACCOUNT = "account"
    CHAT = "chat"


class ChannelFault(Exception):
    """Base of everything a connector may raise; `reason` is a sentence without message text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(ChannelFault):
    """Nothing left this computer, or the vendor said "later": the same send may be repeated."""


class RateLimited(ChannelFault):
    """The vendor asks to wait until `until_utc_ms` (Unix milliseconds), for a chat or for all.

    Where it does not say for which, name the chat: several limited chats count as the account.
    """

    def __init__(
        self, reason: str, until_utc_ms: int, scope: LimitScope = LimitScope.ACCOUNT
    ) -> None:
        super().__init__(reason)
        self.until_utc_ms = until_utc_ms
        self.scope = scope


class QuotaExhausted(RateLimited):
    """The account's paid quota is used up until `until_utc_ms`."""


class Refusal(ChannelFault):
    """Base of what repeating can't mend: the message fails with the reason given."""


class WindowExpired(Refusal):
    """The channel's reply window is closed: only a template may go."""


class ConsentMissing(Refusal):
    """The client blocked the account or took consent back."""


class RecipientInvalid(Refusal):
    """The address doesn't exist on the channel any more."""


class ContentInvalid(Refusal):
    """The channel can't carry this content."""


class Unsupported(Refusal):
    """The channel has no such function (edit, delete, reaction …)."""


class IdentityChanged(Refusal):
    """The client's identity on the channel changed: a person has to look first."""


class AccountFault(ChannelFault):
    """The firm's account was refused: it is paused until an administrator mends it."""


class OutcomeUnknown(ChannelFault):
    """Bytes were written and no answer came: the message may or may not have arrived."""
