"""Tests of what is told of versions. They never ask a backend."""

from __future__ import annotations

import msgspec
import pytest

from app.domain.client_versions import ClientVersions, versions_told
from contract.wire import CapabilitiesDocument
from tests.app.small_backend import SmallBackend

PAGE = "https://it.example.com/parley"


def _told(
    minimum: str,
    newest: str,
    own: str,
    *,
    tell_newer: bool = True,
    page: str = PAGE,
    note: str = "  Installed\n on Sunday. ",
) -> ClientVersions:
    document: CapabilitiesDocument = msgspec.structs.replace(
        SmallBackend().capabilities,
        min_client_version=minimum,
        newest_client_version=newest,
        client_page=page,
        client_note=note,
    )
    return versions_told(document, own, tell_newer=tell_newer)


def test_a_newer_version_is_told_of_unless_it_is_not_to_be() -> None:
    assert _told("0.1", "1.4.0", "1.3.9") == ClientVersions(
        newer="1.4.0", page=PAGE, note="Installed on Sunday."
    )
    assert _told("0.1", "1.4.0", "1.3.9", tell_newer=False) == ClientVersions()
    assert _told("0.1", "1.4.0", "1.4") == _told("0.1", "", "1.4") == ClientVersions()


def test_what_stops_this_one_is_told_whatever_is_set() -> None:
    told = _told("1.4", "1.5", "1.3", tell_newer=False)
    assert (told.needed, told.newer, told.page) == ("1.4", "", PAGE)


@pytest.mark.parametrize(
    "page",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        " https://it.example.com",
        "https://it.example.com/\nx",
        "https://it.example.com/" + "x" * 2_000,
    ],
)
def test_a_page_that_is_no_https_page_is_left_out(page: str) -> None:
    assert _told("0.1", "1.4", "1.3", page=page).page == ""


def test_what_is_around_a_version_and_turns_or_hides_a_note_is_left_out() -> None:
    told = _told(
        "1.4\n" + " " * 9_000, " 1.5 ", "1.3", note="Ask \u202eTI\u202c\0\u200b " + "x" * 900
    )
    assert (told.needed, told.newer) == ("1.4", "1.5")
    assert told.note.startswith("Ask TI x") and len(told.note) == 200


@pytest.mark.parametrize("nonsense", ["", "newest", "9" * 50, "1.4; rm", "<b>9</b>", "99\n99"])
def test_a_version_that_is_none_stops_nobody_and_is_not_told(nonsense: str) -> None:
    assert _told(nonsense, nonsense, "0.1") == ClientVersions()
