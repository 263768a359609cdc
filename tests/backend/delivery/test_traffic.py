"""Proofs of what may go when: rates per account, chat and group, vendors' waits, the breaker.

It never sleeps: the clock is a number.
"""

from __future__ import annotations

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Attempt, SendResult
from backend.channels.rates import (
    CHANNEL_RATES,
    NO_LIMITS,
    PER_CHAT,
    PER_GROUP,
    PER_SECOND,
    BadRate,
    Rate,
    RateLimits,
    rates_of,
)
from backend.channels.whatsapp.errors import fault_of_code
from backend.delivery.breaker import FIRST_PAUSE_MS, LONGEST_PAUSE_MS, OPENS_AFTER, CircuitBreaker
from backend.delivery.claims import Claim, Head
from backend.delivery.pacing import LONGEST_HOLD_MS, Pacing
from backend.delivery.pulse import SLOW_AFTER_MS, InboundFailure, Pulse
from backend.delivery.traffic import AT_ONCE_PER_ACCOUNT, Traffic
from contract.ids import AccountId, ConversationId, MessageId
from contract.wire import Channel, IdempotencyClass

T0 = 1_800_000_000_000
PAIR_LIMIT = 131056


def account(channel: Channel, name: str = "acc-1") -> Account:
    """Return an account of a channel."""
    return Account(
        account_id=AccountId(name),
        channel=channel,
        connector=channel.value,
        idempotency=IdempotencyClass.NONE,
    )


def paced(channel: Channel) -> tuple[Pacing, Account]:
    """Return the pacing of a channel's own rates, with an account."""
    return Pacing(lambda each: CHANNEL_RATES[each.channel]), account(channel)


def sent_within(pacing: Pacing, owner: Account, period_ms: int, *, chats: int, group: bool) -> int:
    """Send to several chats as fast as pacing lets one, for a while; returns how many went."""
    now, count = T0, 0
    while now < T0 + period_ms:
        chat = ConversationId(f"chat-{count % chats}")
        free_at = max(
            pacing.account_free_at(owner, now), pacing.chat_free_at(owner, chat, now, group=group)
        )
        if free_at > now:
            now = free_at
            continue
        pacing.take(owner, chat, now, group=group)
        count += 1
    return count


@pytest.mark.parametrize(
    ("channel", "chats", "group", "period_ms", "most", "least"),
    [
        (Channel.WHATSAPP, 500, False, 1_000, 80, 60),
        (Channel.WHATSAPP, 1, False, 1_000, 45, 45),
        (Channel.WHATSAPP, 1, False, 61_000, 56, 54),  # 45 at once, then one in six seconds
        (Channel.TELEGRAM, 500, False, 1_000, 30, 24),
        (Channel.TELEGRAM, 1, False, 10_000, 10, 10),
        (Channel.TELEGRAM, 1, True, 60_000, 20, 16),
    ],
)
def test_vendor_never_sees_more_than_it_takes(
    channel: Channel, chats: int, group: bool, period_ms: int, most: int, least: int
) -> None:
    pacing, owner = paced(channel)
    assert least <= sent_within(pacing, owner, period_ms, chats=chats, group=group) <= most


def test_clock_that_was_set_back_holds_nobody_for_long() -> None:
    pacing, owner = paced(Channel.TELEGRAM)
    chat = ConversationId("chat")
    pacing.take(owner, chat, T0, group=False)
    earlier = T0 - 3_600_000
    assert pacing.chat_free_at(owner, chat, earlier, group=False) <= earlier + 1_000


def test_settings_lower_a_rate_and_never_raise_it() -> None:
    lowered = rates_of(Channel.WHATSAPP, None, {PER_SECOND: "10", PER_CHAT: "2"})
    assert lowered.account == Rate.within(10, 1.0)
    assert lowered.chat == Rate(every_ms=60_000, burst=1)
    assert rates_of(Channel.WHATSAPP, None, {PER_SECOND: "1000"}) == CHANNEL_RATES[Channel.WHATSAPP]
    assert rates_of(Channel.SMS, None, {PER_SECOND: "5"}).account == Rate.within(5, 1.0)
    assert rates_of(Channel.SMS, None, {}) == NO_LIMITS
    for bad in ("0", "-1", "fast", "1.5"):
        with pytest.raises(BadRate, match=PER_GROUP):
            rates_of(Channel.TELEGRAM, None, {PER_GROUP: bad})


def test_module_of_anybodys_brings_its_own_rates() -> None:
    class Module:
        """A channel package whose vendor takes one message a second."""

        rates = RateLimits(account=Rate.within(1, 1.0))

    assert rates_of(Channel.SMS, Module(), {}).account == Rate.within(1, 1.0)


def test_pair_limit_of_whatsapp_grows_and_holds_this_client_only() -> None:
    pacing, owner = paced(Channel.WHATSAPP)
    chat, other, now, waits = ConversationId("c"), ConversationId("d"), T0, []
    for _ in range(4):
        fault = fault_of_code(PAIR_LIMIT, now)
        assert isinstance(fault, faults.RateLimited)
        (limit,) = pacing.limited(owner, chat, fault, now)
        waits.append((limit.until_utc_ms - now) // 1000)
        assert pacing.chat_free_at(owner, chat, now, group=False) == limit.until_utc_ms
        assert pacing.chat_free_at(owner, other, now, group=False) <= now
        assert pacing.account_free_at(owner, now) <= now
        now = limit.until_utc_ms
    assert waits == [6, 16, 64, 256]
    assert pacing.well(owner.account_id, chat)
    again = faults.RateLimited("", now + 1, faults.LimitScope.CHAT)
    (limit,) = pacing.limited(owner, chat, again, now)
    assert limit.strikes == 1


def test_several_limited_chats_mean_the_account() -> None:
    pacing, owner = paced(Channel.TELEGRAM)
    for number in range(3):
        fault = faults.RateLimited("", T0 + 30_000 + number, faults.LimitScope.CHAT)
        kept = pacing.limited(owner, ConversationId(f"chat-{number}"), fault, T0)
    assert [limit.chat for limit in kept] == ["chat-2", ""]
    assert pacing.account_free_at(owner, T0) == T0 + 30_000


def test_limit_outlives_the_process_and_a_long_one_is_tried_each_hour() -> None:
    pacing, owner = paced(Channel.LINE)
    month_end = T0 + 20 * 86_400_000
    kept = pacing.limited(owner, ConversationId("c"), faults.QuotaExhausted("", month_end), T0)
    later = Pacing()
    later.remember(kept)
    limit = later.account_limit(owner.account_id, T0)
    assert limit is not None
    assert limit.quota
    assert later.account_free_at(owner, T0) == T0 + LONGEST_HOLD_MS


def test_breaker_opens_lets_one_try_and_closes() -> None:
    breaker, owner = CircuitBreaker(), AccountId("acc-1")
    opened = [breaker.failed(owner, T0 + n) for n in range(OPENS_AFTER)]
    assert opened == [False] * (OPENS_AFTER - 1) + [True]
    assert breaker.failing_since(owner) == T0
    opened_at = T0 + OPENS_AFTER - 1
    assert breaker.probe_at(owner) == opened_at + FIRST_PAUSE_MS
    assert not breaker.failed(owner, opened_at + 1), "it was sent before the breaker opened"
    now = breaker.probe_at(owner)
    assert now == opened_at + FIRST_PAUSE_MS
    pauses = []
    for _ in range(6):
        breaker.failed(owner, now)
        pauses.append(breaker.probe_at(owner) - now)
        now = breaker.probe_at(owner)
    assert pauses[0] == 2 * FIRST_PAUSE_MS
    assert pauses[-1] == LONGEST_PAUSE_MS
    assert breaker.answered(owner)
    assert not breaker.is_open(owner)
    assert breaker.failing_since(owner) is None


def test_answer_in_between_keeps_the_breaker_closed() -> None:
    breaker, owner = CircuitBreaker(opens_after=2), AccountId("acc-1")
    for _ in range(5):
        assert not breaker.failed(owner, T0)
        assert not breaker.answered(owner)


def test_slowness_is_told_from_when_it_began_until_a_quick_answer() -> None:
    pulse, owner = Pulse(), AccountId("acc-1")
    pulse.started("a", owner, T0)
    assert pulse.slow_since(owner, T0 + SLOW_AFTER_MS - 1) is None
    assert pulse.slow_since(owner, T0 + SLOW_AFTER_MS) == T0
    pulse.ended("a", T0 + 20_000)
    assert pulse.slow_since(owner, T0 + 20_001) == T0
    pulse.started("b", owner, T0 + 21_000)
    pulse.ended("b", T0 + 21_050)
    assert pulse.slow_since(owner, T0 + 21_051) is None
    assert pulse.is_quiet


def test_polling_that_fails_is_told_once_it_lasts_and_ends_with_the_next_answer() -> None:
    pulse, owner = Pulse(), AccountId("acc-1")
    pulse.not_heard(owner, T0, refused=False)
    pulse.not_heard(owner, T0 + 5_000, refused=True)
    assert pulse.inbound_failure(owner, T0 + SLOW_AFTER_MS - 1) is None
    assert pulse.inbound_failure(owner, T0 + SLOW_AFTER_MS) == InboundFailure(T0, refused=True)
    pulse.heard(owner)
    assert pulse.inbound_failure(owner, T0 + SLOW_AFTER_MS) is None


def head(number: int, owner: Account, chat: str = "") -> Head:
    """Return the head of a lane."""
    return Head(
        job_id=f"job-{number}",
        message_id=MessageId(f"message-{number}"),
        account_id=owner.account_id,
        conversation_id=ConversationId(chat or f"chat-{number}"),
        group=False,
    )


def claim(each: Head) -> Claim:
    """Return what a worker holds of a head."""
    return Claim(
        job_id=each.job_id,
        conversation_id=each.conversation_id,
        account_id=each.account_id,
        message_id=each.message_id,
        revision=0,
        created_at_utc_ms=T0,
        attempt=Attempt(attempt_id=each.job_id, n=1, key="k", started_at_utc_ms=T0),
    )


def test_vendor_that_hangs_leaves_room_for_the_others() -> None:
    slow, quick = account(Channel.SIGNAL, "slow"), account(Channel.LINE, "quick")
    accounts = {each.account_id: each for each in (slow, quick)}
    traffic = Traffic()
    heads = [head(n, slow) for n in range(50)] + [head(100, quick)]
    chosen = traffic.choose(heads, accounts, T0).message_ids
    assert len(chosen) == AT_ONCE_PER_ACCOUNT + 1
    for each in heads[:AT_ONCE_PER_ACCOUNT]:
        traffic.started(claim(each), T0)
    assert traffic.held(accounts.values(), T0).account_ids == {"slow"}
    assert traffic.choose(heads, accounts, T0).message_ids == ("message-100",)


def test_open_breaker_lets_one_message_through_once_its_pause_is_over() -> None:
    owner = account(Channel.SIGNAL)
    accounts = {owner.account_id: owner}
    traffic = Traffic(breaker=CircuitBreaker(opens_after=1))
    heads = [head(n, owner) for n in range(3)]
    ended = traffic.ended(claim(heads[0]), owner, faults.Retryable(""), T0)
    assert ended.turned
    assert ended.retry_at_utc_ms == T0, "the breaker says when, not the message"
    assert traffic.choose(heads, accounts, T0).message_ids == ()
    probe_at = traffic.held([owner], T0).until_utc_ms
    assert probe_at == T0 + FIRST_PAUSE_MS
    assert len(traffic.choose(heads, accounts, probe_at).message_ids) == 1
    traffic.started(claim(heads[0]), probe_at)
    assert traffic.choose(heads, accounts, probe_at).message_ids == ()
    traffic.ended(claim(heads[0]), owner, SendResult(external_id="x"), probe_at + 50)
    assert len(traffic.choose(heads, accounts, probe_at + 50).message_ids) == 3


def test_after_a_limit_one_message_finds_out_whether_it_is_over() -> None:
    owner = account(Channel.SMS)
    accounts = {owner.account_id: owner}
    traffic = Traffic()
    heads = [head(n, owner) for n in range(3)]
    ended = traffic.ended(claim(heads[0]), owner, faults.RateLimited("", T0 + 2_000), T0)
    assert (ended.retry_at_utc_ms, len(ended.limits)) == (T0 + 2_000, 1)
    assert traffic.choose(heads, accounts, T0 + 1_999).message_ids == ()
    assert len(traffic.choose(heads, accounts, T0 + 2_000).message_ids) == 1
    ended = traffic.ended(claim(heads[0]), owner, SendResult(external_id="x"), T0 + 2_050)
    assert ended.forgotten == ("", "chat-0")
    assert len(traffic.choose(heads, accounts, T0 + 2_050).message_ids) == 3


def test_message_too_early_for_its_chat_is_put_off_and_others_go() -> None:
    owner = account(Channel.TELEGRAM)
    traffic = Traffic(lambda each: CHANNEL_RATES[each.channel])
    accounts = {owner.account_id: owner}
    traffic.choose([head(1, owner, "busy")], accounts, T0)
    choice = traffic.choose([head(2, owner, "busy"), head(3, owner)], accounts, T0 + 100)
    assert choice.message_ids == ("message-3",)
    assert choice.deferred == (("job-2", T0 + 1_000),)


def test_refusal_and_limit_are_answers_and_open_no_breaker() -> None:
    owner = account(Channel.TELEGRAM)
    traffic = Traffic(breaker=CircuitBreaker(opens_after=1))
    told = (
        faults.ContentInvalid(""),
        faults.AccountFault(""),
        faults.RateLimited("", T0 + 1, faults.LimitScope.CHAT),
    )
    for fault in told:
        assert not traffic.ended(claim(head(1, owner)), owner, fault, T0).turned
    assert not traffic.breaker.is_open(owner.account_id)
