"""The connectors of one process while accounts come, change and go.

It never reaches a vendor: the modules here talk to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from backend.channels import running
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, ModuleMissing, SettingField
from backend.channels.running import VendorChannels
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.support.log_guard import LogGuard

Settings = dict[AccountId, Mapping[str, str]]


class Part:
    """One half of a connector that keeps a connection open; `told` is what it was told."""

    def __init__(self, context: ChannelContext) -> None:
        self.context = context
        self.told: list[str] = []

    async def start(self) -> None:
        """Begin."""
        self.told.append("start")

    async def stop(self) -> None:
        """End."""
        self.told.append("stop")


class CarefulPart(Part):
    """One that keeps something for each account by itself."""

    async def account_changed(self, account_id: AccountId) -> None:
        """Drop what is kept for an account."""
        self.told.append(account_id)


class FailingPart(Part):
    """One that can't begin while `fails` is set."""

    fails = True

    async def start(self) -> None:
        """Fail, or begin."""
        if self.fails:
            raise RuntimeError("no")
        await super().start()


class Module:
    """A channel whose connector is one part, for both ways."""

    channel = Channel.SMS
    fields = (
        SettingField(name="word", words="A word", required=False, default="d"),
        SettingField(name="token", words="A token", secret=True),
    )
    needs_public_url = False
    switched_off = ""

    def __init__(self, name: str, kind: type[Part]) -> None:
        self.name = name
        self.kind = kind
        self.made: list[Part] = []

    def connect(self, context: ChannelContext) -> Connector:
        """Return a connector of one part."""
        part = self.kind(context)
        self.made.append(part)
        # The part is no channel: nothing here sends or asks.
        return Connector(cast(Any, part), cast(Any, part))

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Find nothing."""
        return ()


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, Module]:
    """Install two channels: one of each kind."""
    known = {"plain": Module("plain", Part), "careful": Module("careful", CarefulPart)}

    def load(name: str) -> Module:
        if name not in known:
            raise ModuleMissing(f"There is no channel module {name!r}.")
        return known[name]

    monkeypatch.setattr(running, "load_module", load)
    return known


def _account(name: str, connector: str) -> Account:
    return Account(
        account_id=AccountId(name),
        channel=Channel.SMS,
        connector=connector,
        idempotency=IdempotencyClass.NONE,
    )


A, B, C = _account("a", "plain"), _account("b", "careful"), _account("c", "careful")


def _set(**words: str) -> Settings:
    """Return whole settings of all accounts, with these words of theirs."""
    names = ("a", "b", "c", "x")
    return {
        AccountId(name): {"token": "t"} | ({"word": words[name]} if name in words else {})
        for name in names
    }


async def _running(*accounts: Account) -> VendorChannels:
    channels = VendorChannels(accounts, _set(), lambda: 1)
    await channels.start()
    return channels


async def test_only_the_connector_of_a_changed_account_is_touched(
    modules: dict[str, Module],
) -> None:
    channels = await _running(A, B, C)
    settings = _set(b="new")
    assert await channels.refresh([A, B, C], settings) == {"b"}
    (plain,), (careful,) = modules["plain"].made, modules["careful"].made
    assert (plain.told, careful.told) == (["start"], ["start", "b"])
    assert careful.context.settings_of(B.account_id)["word"] == "new"
    assert await channels.refresh([A, B, C], settings) == frozenset()
    await channels.stop()


async def test_a_connector_that_knows_no_accounts_is_started_anew(
    modules: dict[str, Module],
) -> None:
    channels = await _running(A)
    await channels.refresh([A], _set(a="new"))
    assert modules["plain"].made[0].told == ["start", "stop", "start"]
    await channels.stop()


async def test_connectors_come_and_go_with_their_accounts(modules: dict[str, Module]) -> None:
    channels = await _running(A)
    ways_out = channels.outbound
    assert set(ways_out) == {"plain"}
    assert await channels.refresh([B], _set()) == {"a", "b"}
    assert set(ways_out) == set(channels.inbound) == {"careful"}
    assert modules["plain"].made[0].told == ["start", "stop"]
    assert channels.account(A.account_id) is None
    with pytest.raises(KeyError):
        modules["careful"].made[0].context.settings_of(A.account_id)
    await channels.stop()
    assert modules["careful"].made[0].told == ["start", "stop"]


async def test_an_account_without_a_connector_is_named_until_it_is_mended(
    modules: dict[str, Module], expect_log: LogGuard
) -> None:
    expect_log("a channel account is not well", logger="backend.channels.running")
    lost = _account("x", "fax")
    channels = await _running(A, lost)
    assert list(channels.problems) == ["account x: There is no channel module 'fax'."]
    assert set(channels.outbound) == {"plain"}
    await channels.refresh([A], _set())
    assert not channels.problems
    await channels.stop()


async def test_an_account_that_lacks_a_setting_is_named_and_served_as_it_is(
    modules: dict[str, Module], expect_log: LogGuard
) -> None:
    expect_log("a channel account is not well", logger="backend.channels.running")
    channels = await _running(A)
    await channels.refresh([A], {A.account_id: {"word": "w"}})
    assert list(channels.problems) == ["account a: token is not set; `admin channel set` takes it"]
    assert channels.account(A.account_id) == A
    await channels.stop()


async def test_a_connector_that_fails_to_start_stops_no_other_and_is_tried_again(
    modules: dict[str, Module], expect_log: LogGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("a connector failed", logger="backend.channels.running")
    expect_log("a channel account is not well", logger="backend.channels.running")
    modules["plain"].kind = FailingPart
    channels = await _running(A, B)
    assert ["plain" in problem for problem in channels.problems] == [True]
    assert modules["careful"].made[0].told == ["start"]
    monkeypatch.setattr(FailingPart, "fails", False)
    assert await channels.refresh([A, B], _set()) == {"a"}
    assert not channels.problems
    assert modules["plain"].made[0].told == ["stop", "start"]
    await channels.stop()
