"""Tests of what is told of versions. They never ask a backend."""

from __future__ import annotations

import msgspec

from app.domain.client_versions import ClientVersions, versions_told
from contract.wire import CapabilitiesDocument
from tests.app.small_backend import SmallBackend

PAGE = "https://it.example.com/parley"


def _told(
    minimum: str, newest: str, own: str, *, tell_newer: bool = True, page: str = PAGE
) -> ClientVersions:
    document: CapabilitiesDocument = msgspec.structs.replace(
        SmallBackend().capabilities,
        min_client_version=minimum,
        newest_client_version=newest,
        client_page=page,
        client_note="  Installed\n on Sunday. ",
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


def test_a_page_that_is_no_https_page_is_left_out() -> None:
    assert _told("0.1", "1.4", "1.3", page="file:///etc/passwd").page == ""
