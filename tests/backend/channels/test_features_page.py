"""docs/features.md says of each function of each channel who judged it, and the modules agree.

It never judges the judges: it sees that nothing is claimed without a test, nor kept quiet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from backend.channels.contract import Capabilities
from backend.channels.modules import BUILT_IN, load_module
from contract.wire import IdempotencyClass
from tests.backend.channels.test_capabilities import account_of
from tests.support.surroundings import ROOT

_PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
_OFF = "–"
_JUDGES = {"P", "D", "K", "S"}
_ROWS: Mapping[str, Callable[[Capabilities], bool]] = {
    "Files out": lambda able: bool(able.media),
    "Reply to a message": lambda able: able.reply,
    "Reaction by us": lambda able: able.reactions,
    "Edit by us": lambda able: able.edit_out,
    "Deletion by us": lambda able: able.delete_out,
    "Edits of clients": lambda able: able.edits_in,
    "Deletions of clients": lambda able: able.deletes_in,
    "Templates": lambda able: able.templates,
    "Typing shown to clients": lambda able: able.typing,
    "Read marks by us": lambda able: able.mark_read,
    "Receipt: sent": lambda able: able.receipt_sent,
    "Receipt: delivered": lambda able: able.receipt_delivered,
    "Receipt: read": lambda able: able.receipt_read,
    "Groups": lambda able: able.groups,
    "Writing first": lambda able: able.initiate,
    "Reply window kept to": lambda able: able.window is not None,
    "Sent once under a key": lambda able: able.idempotency is IdempotencyClass.SERVER_KEY,
    "Own mark in receipts": lambda able: able.idempotency is IdempotencyClass.CLIENT_ECHO,
    "The employee's own words, live": lambda able: able.echo_of_native,
}
# What no capability tells of; no account is without the first, the last two.
_TOLD = {"Text out", "Text in", "What comes in is genuine", "Errors in words"}
_FREE = {"Files in", "Reactions of clients"}


def table() -> tuple[list[str], dict[str, list[str]]]:
    """Return the accounts' names and, by function, the marks of each."""
    section = _PAGE.split("## Functions", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [name.strip("`") for name in cells[0][1:]], {row[0]: row[1:] for row in cells[2:]}


def section(name: str) -> str:
    """Return what the page says of an account."""
    found = re.search(rf"^## `{re.escape(name)}`$(.*?)(?=^## |\Z)", _PAGE, re.M | re.S)
    assert found is not None, f"there is no section on {name}"
    return found[1]


def test_every_function_and_every_channel_stands_in_the_table() -> None:
    accounts, rows = table()
    assert set(rows) == {*_ROWS, *_TOLD, *_FREE}
    on = {name for name in BUILT_IN if not load_module(name).switched_off}
    assert {name.partition("+")[0] for name in accounts} == on
    assert all(len(marks) == len(accounts) for marks in rows.values())
    told = " ".join(test.__code__.co_names[0] for test in _ROWS.values() if test.__code__.co_names)
    flags = {
        field
        for field, kind in Capabilities.__annotations__.items()
        if kind == "bool" and field != "media_by_url"
    }
    assert flags <= set(told.split()), "a capability that the page does not tell of"


@pytest.mark.parametrize("name", table()[0])
async def test_the_marks_are_those_of_the_modules_capabilities(name: str) -> None:
    accounts, rows = table()
    async with account_of(name) as desk:
        for function, is_able in _ROWS.items():
            mark = rows[function][accounts.index(name)]
            assert (mark in _JUDGES) is is_able(desk.able), f"{name}: {function} says {mark}"
            assert mark in _JUDGES or mark == _OFF
    for function in _TOLD:
        assert rows[function][accounts.index(name)] in _JUDGES, f"{name}: {function}"


@pytest.mark.parametrize("name", table()[0])
def test_every_mark_names_the_tests_behind_it(name: str) -> None:
    accounts, rows = table()
    used = {marks[accounts.index(name)] for marks in rows.values()} - {_OFF}
    bullets = re.split(r"^- ", section(name), flags=re.M)[1:]
    told = {mark: text for text in bullets for mark in _JUDGES if text.startswith(f"**{mark}**")}
    assert set(told) == used, f"{name} uses {used}, and tells of {set(told)}"
    assert any(text.startswith("**Not proved**") for text in bullets)
    for mark, text in told.items():
        paths = re.findall(r"`(tests/[\w/]+\.py)`", text)
        assert paths, f"{name}: {mark} names no test"
        missing = [path for path in paths if not (ROOT / path).is_file()]
        assert not missing, f"{name}: {missing} are not there"


def test_a_channel_that_is_off_says_why() -> None:
    for name in BUILT_IN:
        reason = load_module(name).switched_off
        if reason:
            assert reason.split(".")[0] in " ".join(section(name).split())
