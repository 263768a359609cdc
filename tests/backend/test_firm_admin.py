"""What an administrator's commands do to a firm's workspace, and what they refuse.

It never starts a backend, and reaches no vendor.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from sqlalchemy import Connection, insert, select, text

from backend.api.auth import TokenAuthenticator
from backend.channels.contract import Capabilities
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.delivery.accounts import governed_accounts
from backend.directory.account_settings import read_settings
from backend.directory.capabilities import settle_capabilities
from backend.directory.client_versions import ClientVersions, client_versions_of
from backend.directory.firm_settings import FirmSettingRefused, checked_public_url
from backend.directory.people import read_contacts, read_me
from backend.firm_workspace import open_firm
from backend.inbox.events import open_database
from backend.inbox.pages import conversation_page
from backend.sample_workspace import open_sample
from backend.storage.archive_tables import archive_entries
from backend.storage.database import DatabaseUnreadable
from backend.storage.tables import access_tokens, conversations, firms, jobs, messages
from backend.workspace import DATABASE_FILE
from backend.workspace_errors import WorkspaceError
from contract.ids import AccountId
from contract.wire import Channel, ConsentStatus, Conversation, Role
from tests.support.firm_backend import KEY_HEX, AdminSaidNo, FirmBackend

T = TypeVar("T")
KEY = bytes.fromhex(KEY_HEX)
ANNA = "emp-anna"
DAY_MS = 86_400_000
NOBODY_THERE = "http://127.0.0.1:9"
BOT = {"bot_token": "123:a-secret-token", "api_url": NOBODY_THERE}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FirmBackend:
    """Make one firm with one employee, for all tests to copy."""
    made = FirmBackend(tmp_path_factory.mktemp("made"), port=9, public_url="https://bank.example")
    made.add_employee(ANNA, "Anna Keller", "--time-zone", "Europe/Zurich")
    return made


@pytest.fixture
def firm(made: FirmBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FirmBackend:
    """Return a firm of this test's own."""
    shutil.copytree(made.data_dir, tmp_path / "firm")
    shutil.copy(made.key_file, tmp_path)
    monkeypatch.setattr(made, "folder", tmp_path)
    monkeypatch.setattr(made, "data_dir", tmp_path / "firm")
    monkeypatch.setattr(made, "key_file", tmp_path / made.key_file.name)
    return made


def read(firm: FirmBackend, look: Callable[[Connection], T]) -> T:
    """Look into the firm's database."""
    database = open_database(firm.data_dir / DATABASE_FILE, KEY)
    try:
        return database.read_now(look)
    finally:
        database.close_now()


def write(firm: FirmBackend, work: Callable[[Connection], object]) -> None:
    """Change the firm's database past the commands."""
    database = open_database(firm.data_dir / DATABASE_FILE, KEY)
    try:
        database.write_now(work)
    finally:
        database.close_now()


def refused(firm: FirmBackend, *command: str) -> str:
    """Run a command that is refused; returns its words."""
    with pytest.raises(WorkspaceError) as told:
        firm.admin(*command)
    return str(told.value)


def acts(connection: Connection) -> list[str]:
    """Return what administrators are archived to have done."""
    bodies = text(
        "SELECT body FROM archive_bodies JOIN archive_entries USING (entry_id)"
        " WHERE kind = 'administration' ORDER BY sequence"
    )
    return [str(json.loads(body)["act"]) for body in connection.execute(bodies).scalars()]


# -- the workspace -------------------------------------------------------------------------------


def test_the_embedded_start_refuses_a_firm(firm: FirmBackend) -> None:
    with pytest.raises(WorkspaceError, match="sample workspace only"):
        open_sample(firm.data_dir, KEY)


def test_a_firms_start_refuses_a_sample_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="admin firm create"):
        open_firm(tmp_path, KEY)
    database = open_database(tmp_path / DATABASE_FILE, KEY)
    database.write_now(lambda c: c.execute(insert(firms).values(firm_id="f", display_name="F")))
    database.close_now()
    with pytest.raises(WorkspaceError, match="sample workspace"):
        open_firm(tmp_path, KEY)


def test_a_firm_is_made_once(firm: FirmBackend) -> None:
    words = refused(firm, "firm", "create", "--id", "other", "--name", "Other")
    assert "already" in words
    assert firm.admin("firm", "show")[0]["name"] == "Bank of Tests"


def test_a_firm_starts_with_the_policy_that_came_with_parley(firm: FirmBackend) -> None:
    workspace = open_firm(firm.data_dir, KEY)
    try:
        assert workspace.kind == "firm"
        assert workspace.signed_in is None
        assert workspace.policy.version == firm.admin("firm", "show")[0]["policy"]
    finally:
        workspace.database.close_now()
        workspace.lock.close()


def test_another_key_opens_nothing(firm: FirmBackend) -> None:
    firm.key_file.write_text("ff" * 32)
    with pytest.raises(DatabaseUnreadable):
        firm.admin("employee", "list")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_a_key_file_that_others_can_read_is_refused(firm: FirmBackend) -> None:
    firm.key_file.chmod(0o644)
    assert "chmod 600" in refused(firm, "employee", "list")


def test_a_database_of_another_version_is_left_alone(firm: FirmBackend) -> None:
    write(firm, lambda c: c.exec_driver_sql("PRAGMA user_version = 4"))
    assert "another version" in refused(firm, "employee", "list")


@pytest.mark.parametrize("url", ["http://bank.example", "bank.example", "https://", "https://a?b"])
def test_a_public_address_that_vendors_cant_call_is_refused(url: str) -> None:
    with pytest.raises(FirmSettingRefused):
        checked_public_url(url)


def test_a_public_address_is_kept_without_its_slash() -> None:
    assert checked_public_url("https://bank.example/parley/") == "https://bank.example/parley"
    assert checked_public_url("http://127.0.0.1:8080") == "http://127.0.0.1:8080"


# -- people --------------------------------------------------------------------------------------


def test_a_token_is_printed_once_and_kept_as_its_hash(firm: FirmBackend) -> None:
    token = firm.token(ANNA)
    kept = read(firm, lambda c: c.execute(select(access_tokens)).all())
    assert hashlib.sha256(token.encode()).hexdigest() in {row.token_hash for row in kept}
    assert token not in repr(kept)
    assert token not in json.dumps(firm.admin("employee", "tokens"))
    assert read(firm, acts)[-1] == "token_issued"


async def test_a_token_counts_until_its_last_day(firm: FirmBackend) -> None:
    issued = firm.admin("employee", "token", "--id", ANNA, "--days", "2")[0]
    database = open_database(firm.data_dir / DATABASE_FILE, KEY)
    try:
        ends_at_utc_ms = issued["expires_at_utc_ms"]
        before = TokenAuthenticator(database, lambda: ends_at_utc_ms - 1)
        after = TokenAuthenticator(database, lambda: ends_at_utc_ms)
        assert await before.employee_of(issued["token"]) == ANNA
        assert await after.employee_of(issued["token"]) is None
        assert await before.employee_of(issued["token"] + "x") is None
    finally:
        await database.close()


async def test_one_token_of_two_is_revoked(firm: FirmBackend) -> None:
    first = firm.admin("employee", "token", "--id", ANNA)[0]
    second = firm.token(ANNA)
    firm.admin("employee", "revoke", "--id", ANNA, "--token-id", first["token_id"])
    database = open_database(firm.data_dir / DATABASE_FILE, KEY)
    try:
        desk = TokenAuthenticator(database, lambda: 1)
        assert await desk.employee_of(first["token"]) is None
        assert await desk.employee_of(second) == ANNA
    finally:
        await database.close()


def test_a_token_for_ever_or_for_nobody_is_refused(firm: FirmBackend) -> None:
    assert "366" in refused(firm, "employee", "token", "--id", ANNA, "--days", "999")
    assert "no employee" in refused(firm, "employee", "token", "--id", "emp-nobody")


def test_employees_have_the_roles_they_were_given(firm: FirmBackend) -> None:
    firm.add_employee("emp-cora", "Cora Li", "--role", "compliance", "--role", "employee")
    firm.admin("employee", "roles", "--id", "emp-cora", "--role", "compliance")
    me = read(firm, lambda c: read_me(c, "emp-cora"))
    assert me is not None
    assert (me.roles, me.initials) == ((Role.COMPLIANCE,), "CL")
    assert "none of" in refused(firm, "employee", "add", "--id", "x", "--name", "X", "--role", "y")
    assert "already" in refused(firm, "employee", "add", "--id", ANNA, "--name", "Anna")
    zone = ("employee", "add", "--id", "x", "--name", "X", "--time-zone", "Mars/North")
    assert "time zone" in refused(firm, *zone)


# -- clients -------------------------------------------------------------------------------------


def test_a_client_stands_in_the_book_with_addresses_and_consent(firm: FirmBackend) -> None:
    added = firm.admin(
        "contact", "add", "--name", "Ada Client", "--employee", ANNA, "--retail",
        "--point", "matrix:@ada:bank.test", "--point", "whatsapp/user_id:US.1349",
        "--consent", "recording=accepted@2026-1",
    )[0]["contact"]  # fmt: skip
    (ada,) = read(firm, lambda c: read_contacts(c, ANNA, [added]))
    assert {(p.channel, p.label) for p in ada.points} == {
        ("matrix", "…test"),
        ("whatsapp", "…1349"),
    }
    assert [(c.status, c.text_version) for c in ada.consents] == [
        (ConsentStatus.ACCEPTED, "2026-1")
    ]
    assert ada.retail
    shown = json.dumps(firm.admin("contact", "list"))
    assert "@ada:bank.test" not in shown
    assert read(firm, acts)[-1] == "client_added"


def test_an_address_belongs_to_one_client(firm: FirmBackend) -> None:
    firm.admin("contact", "add", "--name", "Ada", "--point", "sms:+41790000001")
    words = refused(firm, "contact", "add", "--name", "Eve", "--point", "sms:+41790000001")
    assert "…0001" in words
    assert "+41790000001" not in words
    assert [line["display_name"] for line in firm.admin("contact", "list")] == ["Ada"]


def test_a_chat_is_opened_where_the_client_has_an_address(firm: FirmBackend) -> None:
    firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA, "--no-check")
    add = ("contact", "add", "--name", "Ada", "--chat", "acc-tg")
    assert "No chat" in refused(firm, *add, "--point", "sms:+41790000001")
    firm.admin(*add, "--point", "telegram:42")
    titles = read(firm, lambda c: c.execute(select(conversations.c.title)).scalars().all())
    assert titles == ["Ada"]


# -- channels ------------------------------------------------------------------------------------


def test_an_account_is_added_with_its_secrets_hidden(firm: FirmBackend) -> None:
    url = firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA, "--no-check")
    assert url == "https://bank.example/hooks/telegram/acc-tg"
    (line,) = firm.admin("channel", "list")
    assert line["settings"] == {"api_url": NOBODY_THERE, "bot_token": "(set)"}
    assert (line["members"], line["module"]) == ([ANNA], "telegram")
    me = read(firm, lambda c: read_me(c, ANNA))
    assert me is not None
    assert [account.account_id for account in me.accounts] == ["acc-tg"]
    assert read(firm, acts)[-1] == "account_added"


def test_an_account_whose_credentials_fail_is_not_kept_unless_told(firm: FirmBackend) -> None:
    with pytest.raises(AdminSaidNo) as told:
        firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA)
    assert told.value.status == 1
    assert [line["ok"] for line in told.value.lines if "step" in line] == [False]
    assert BOT["bot_token"] not in json.dumps(told.value.lines)
    assert firm.admin("channel", "list") == []
    firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA, "--keep")
    with pytest.raises(AdminSaidNo):
        firm.admin("channel", "check", "--account", "acc-tg")


def test_secrets_are_not_taken_from_the_command_line(firm: FirmBackend) -> None:
    add = ("channel", "add", "--module", "telegram", "--label", "Bot", "--no-check")
    words = refused(firm, *add, "--set", "bot_token=123:a-secret-token")
    assert "--secret-file" in words
    assert "a-secret-token" not in words


def test_settings_nobody_knows_or_gave_are_named(firm: FirmBackend) -> None:
    add = ("channel", "add", "--module", "telegram", "--label", "Bot", "--no-check")
    firm.key_file.with_name("t").write_text("123:x")
    secret = ("--secret-file", f"bot_token={firm.key_file.with_name('t')}")
    assert "no setting colour" in refused(firm, *add, *secret, "--set", "colour=red")
    assert "no channel module" in refused(firm, *add[:3], "fax", *add[4:])


def test_a_module_whose_vendor_calls_us_needs_a_public_address(firm: FirmBackend) -> None:
    firm.admin("firm", "set", "--public-url", "")
    words = refused(firm, "channel", "add", "--module", "line", "--label", "L", "--no-check")
    assert "--public-url" in words
    words = refused(firm, "channel", "add", "--module", "apple", "--label", "A", "--no-check")
    assert "Apple" in words


def test_the_versions_clients_may_have_are_set_one_by_one_and_served(firm: FirmBackend) -> None:
    page = "https://it.bank.example/parley"
    firm.admin("firm", "clients", "--newest", "1.4.0", "--page", page)
    firm.admin("firm", "clients", "--minimum", "0.10", "--note", "Installed on Sunday.")
    expected = {"minimum": "0.10", "newest": "1.4.0", "page": page, "note": "Installed on Sunday."}
    assert firm.admin("firm", "show")[0]["clients"] == expected
    assert read(firm, client_versions_of) == ClientVersions(**expected)
    firm.admin("firm", "clients", "--newest", "", "--page", "", "--note", "")
    assert read(firm, client_versions_of) == ClientVersions(minimum="0.10")


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--minimum", "new", "no version"),
        ("--minimum", "", "or newer only"),
        ("--minimum", "0.0.1", "or newer only"),
        ("--newest", "0.0.9", "older than the lowest"),
        ("--page", "http://it.bank.example", "https"),
        ("--page", "javascript:alert(1)", "https"),
        ("--note", "two\nlines", "one line"),
        ("--note", "n" * 201, "200"),
    ],
)
def test_versions_that_clients_could_make_nothing_of_are_refused(
    firm: FirmBackend, option: str, value: str, why: str
) -> None:
    assert why in refused(firm, "firm", "clients", option, value)
    assert read(firm, client_versions_of) == ClientVersions()


def test_what_is_missing_is_asked_for_secrets_unseen(
    firm: FirmBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt.strip())
        return "" if "api_url" in prompt else "typed"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", answer)
    monkeypatch.setattr("builtins.input", answer)
    firm.admin(
        "channel", "add", "--module", "telegram", "--account", "acc-tg", "--label", "Bot",
        "--set", "business_connection_id=c1", "--no-check",
    )  # fmt: skip
    assert asked[:2] == ["bot_token:", "secret_token:"]
    assert "business_connection_id:" not in asked
    kept = read(firm, read_settings)["acc-tg"]
    assert (kept["bot_token"], kept["business_connection_id"]) == ("typed", "c1")


def test_a_new_setting_leaves_the_others_as_they_are(firm: FirmBackend) -> None:
    firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA, "--no-check")
    firm.set_channel("acc-tg", {"bot_token": "123:new"}, "--no-check")
    assert read(firm, read_settings)["acc-tg"] == {**BOT, "bot_token": "123:new"}
    assert "no account" in refused(firm, "channel", "set", "--account", "acc-x", "--no-check")


def test_a_removed_account_leaves_its_history_and_takes_its_secrets(firm: FirmBackend) -> None:
    firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA, "--no-check")
    chat = ("--point", "telegram:42", "--chat", "acc-tg", "--employee", ANNA)
    firm.admin("contact", "add", "--name", "Ada", *chat)
    firm.admin("channel", "remove", "--account", "acc-tg")
    assert firm.admin("channel", "list") == []
    assert read(firm, governed_accounts) == ()
    assert read(firm, read_settings) == {}
    assert read(firm, lambda c: c.execute(select(conversations.c.title)).scalar()) == "Ada"
    assert "no account" in refused(firm, "channel", "remove", "--account", "acc-tg")


def test_what_a_newer_connector_can_do_is_shown_from_its_first_start(firm: FirmBackend) -> None:
    firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA, "--no-check")
    chat = ("--point", "telegram:42", "--chat", "acc-tg", "--employee", ANNA)
    firm.admin("contact", "add", "--name", "Ada", *chat)
    now = CHANNEL_CAPABILITIES[Channel.TELEGRAM]
    older = msgspec.structs.replace(now, reply=False, typing=False)
    account_id = AccountId("acc-tg")
    assert _settled(firm, account_id, older) == ((account_id,), 2, False)
    assert _settled(firm, account_id, now) == ((account_id,), 3, True)
    assert _settled(firm, account_id, now) == ((), 3, True)


def _settled(
    firm: FirmBackend, account_id: AccountId, known: Capabilities
) -> tuple[tuple[AccountId, ...], int, bool]:
    """Return what changed, and the one chat's version and whether replies are offered there."""
    database = open_database(firm.data_dir / DATABASE_FILE, KEY)
    try:
        changed = database.write_now(lambda c: settle_capabilities(c, {account_id: known}, 1))
        chat = database.read_now(_only_chat)
    finally:
        database.close_now()
    assert chat.send is not None
    return changed, chat.version, chat.send.replies


def _only_chat(connection: Connection) -> Conversation:
    me = read_me(connection, ANNA)
    assert me is not None
    (chat,) = conversation_page(connection, me, None, 9)
    return chat


def test_an_account_with_messages_on_their_way_stays(firm: FirmBackend) -> None:
    firm.add_channel("telegram", "acc-tg", BOT, "--member", ANNA, "--no-check")
    chat = ("--point", "telegram:42", "--chat", "acc-tg", "--employee", ANNA)
    firm.admin("contact", "add", "--name", "Ada", *chat)
    write(firm, _queue_a_message)
    assert "wait" in refused(firm, "channel", "remove", "--account", "acc-tg")
    assert len(read(firm, governed_accounts)) == 1


def _queue_a_message(connection: Connection) -> None:
    conversation = connection.execute(select(conversations)).one()
    entry_id = connection.execute(select(archive_entries.c.entry_id)).scalars().first()
    known = {"firm_id": "firm-test", "account_id": "acc-tg", "message_id": "m1", "revision": 0}
    known["conversation_id"] = conversation.conversation_id
    connection.execute(
        insert(messages).values(
            **known,
            direction="out",
            text="t",
            author_id=ANNA,
            author_name="Anna",
            place_at_utc_ms=1,
            place_index=1,
            occurred_at_utc_ms=1,
            entry_id=entry_id,
        )
    )
    connection.execute(insert(jobs).values(**known, job_id="j", lane_order=1, created_at_utc_ms=1))
