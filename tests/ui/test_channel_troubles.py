"""Tests of the strips that say what is wrong with channels, and of their line among the checks.

They never use a network: what the backend tells is a value.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QApplication

from app.diagnostics.checks import Subject, check_channels
from app.diagnostics.results import CheckStatus, Owner
from app.domain.clock import SystemClock
from app.domain.status import CoreStatus, Link
from app.session.keys import KeyVault
from app.settings.paths import AppPaths
from app.sync.status_board import StatusBoard
from backend_client.client import GovernedApi
from backend_client.transport import Transport
from contract.ids import AccountId, EmployeeId, FirmId
from contract.wire import Channel, ChannelAccount, ChannelTrouble, Me, Mode
from tests.ui.sample_rows import HOUR_MS, NOW_UTC_MS
from ui.models.channel_words import channel_banners, channel_to_show
from ui.models.status_words import banners
from ui.theme.tokens import LIGHT
from ui.views.banners import BannerStack

SLOW = ChannelTrouble(
    account_id=AccountId("acc-wa"),
    channel=Channel.WHATSAPP,
    kind="slow",
    since_utc_ms=NOW_UTC_MS,
    waiting=3,
)
ONLINE = CoreStatus(link=Link.ONLINE, workspace="firm", troubles=(SLOW,))


def changed(**changes: object) -> ChannelTrouble:
    """Return the trouble with other fields."""
    return ChannelTrouble(
        **{name: getattr(SLOW, name) for name in SLOW.__struct_fields__} | changes
    )


@pytest.mark.parametrize(
    ("trouble", "tone", "words"),
    [
        (
            SLOW,
            "warn",
            "WhatsApp has been slow since 10:43."
            " Your messages wait in order and go out by themselves.",
        ),
        (
            changed(kind="unreachable", label="+41 44 •• 12"),
            "warn",
            "WhatsApp (+41 44 •• 12) has not been reachable since 10:43."
            " Your messages wait in order and go out by themselves.",
        ),
        (
            changed(kind="refused", channel=Channel.TELEGRAM),
            "block",
            "Telegram needs your administrator: the account was refused."
            " Your messages wait in order since 10:43; nothing is lost.",
        ),
        (
            changed(kind="quota", channel=Channel.LINE, until_utc_ms=NOW_UTC_MS + 2 * HOUR_MS),
            "warn",
            "LINE takes no more messages: the firm’s quota is used up."
            " Your messages wait until 12:43 and go out by themselves.",
        ),
        (changed(kind="of a newer backend"), "warn", "WhatsApp has been slow since 10:43."),
        (changed(since_utc_ms=NOW_UTC_MS - 24 * HOUR_MS), "warn", "since yesterday, 10:43."),
    ],
)
def test_trouble_is_said_in_words_with_its_time(
    trouble: ChannelTrouble, tone: str, words: str
) -> None:
    (strip,) = channel_banners([trouble], NOW_UTC_MS, UTC)
    assert strip.tone == tone
    assert words in f"{strip.lead} {strip.text}"


def test_strip_leads_to_what_waits_else_to_diagnostics() -> None:
    (strip,) = channel_banners([SLOW], NOW_UTC_MS, UTC)
    assert strip.actions == (("channel:whatsapp", "3 waiting"),)
    assert channel_to_show(strip.actions[0][0]) is Channel.WHATSAPP
    (strip,) = channel_banners([changed(waiting=0)], NOW_UTC_MS, UTC)
    assert strip.actions == (("diagnostics", "Diagnostics"),)
    assert channel_to_show("diagnostics") is None


def test_many_troubles_take_few_strips_the_gravest_first() -> None:
    many = [changed(account_id=f"acc-{n}", since_utc_ms=NOW_UTC_MS + n) for n in range(5)]
    many.append(changed(account_id="acc-9", kind="refused", since_utc_ms=NOW_UTC_MS + 9))
    shown = channel_banners(many, NOW_UTC_MS, UTC)
    assert [strip.key for strip in shown] == [
        "channel.acc-9",
        "channel.acc-0",
        "channel.acc-1",
        "channels",
    ]
    assert shown[-1].text == "3 more channels are not well."


def test_strip_goes_when_the_channel_is_well_and_while_nobody_can_tell() -> None:
    assert len(banners(ONLINE, zone=UTC)) == 1
    assert banners(replace(ONLINE, troubles=()), zone=UTC) == ()
    (offline,) = banners(replace(ONLINE, link=Link.OFFLINE), zone=UTC)
    assert offline.key == "offline"


def test_account_is_named_only_where_the_person_has_several() -> None:
    accounts = tuple(
        ChannelAccount(account_id=AccountId(name), channel=channel, mode=Mode.GOVERNED, label=name)
        for name, channel in (
            ("acc-wa", Channel.WHATSAPP),
            ("acc-wa-2", Channel.WHATSAPP),
            ("acc-line", Channel.LINE),
        )
    )
    me = Me(
        employee_id=EmployeeId("e"),
        firm_id=FirmId("f"),
        display_name="",
        initials="",
        roles=(),
        time_zone="UTC",
        language="en",
        accounts=accounts,
        troubles=(changed(label="acc-wa"), changed(channel=Channel.LINE, label="acc-line")),
    )
    board = StatusBoard(SystemClock())
    board.take_troubles(me)
    assert [each.label for each in board.status.troubles] == ["acc-wa", ""]
    board.take_troubles(None)
    assert board.status.troubles == ()


def test_screen_reader_hears_of_a_trouble_once_and_not_of_each_message(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def hear(event: QAccessibleEvent) -> None:
        said.append(getattr(event, "message", lambda: "")())

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    stack = BannerStack(LIGHT)
    for waiting in (3, 2, 1):
        stack.show_banners(channel_banners([changed(waiting=waiting)], NOW_UTC_MS, UTC))
    assert [words for words in said if "slow" in words] == [
        "WhatsApp has been slow since 10:43. Your messages wait in order and go out by themselves."
    ]
    stack.show_banners(())
    assert stack.texts() == ()
    stack.deleteLater()


async def test_diagnostics_name_the_channels_that_are_not_well(tmp_path: Path) -> None:
    paths = AppPaths(tmp_path, tmp_path, tmp_path, tmp_path)
    transport = Transport(None, client_version="0.1.0")
    subject = Subject(None, KeyVault(), paths, GovernedApi(transport), ONLINE)
    found = await check_channels(subject)
    assert (found.status, found.owner) == (CheckStatus.WARN, Owner.IT)
    assert "whatsapp (acc-wa) slow since" in found.sentence
    assert "3 waiting" in found.sentence
    well = await check_channels(replace(subject, status=replace(ONLINE, troubles=())))
    assert well.status is CheckStatus.OK
    await transport.close()
