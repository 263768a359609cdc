"""What the backend says of versions of Parley: whether this one is too old, which newer one is.

It never installs anything: IT does.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.wire import CapabilitiesDocument

_LONGEST_NOTE = 200
_LONGEST_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class ClientVersions:
    """`needed` is the lowest version the backend works with, "" while this one is new enough.

    `newer` is a version after this one that is to be told of, "" for none; `page` is the firm's
    own https page about it, `note` one line of its words, each maybe empty.
    """

    needed: str = ""
    newer: str = ""
    page: str = ""
    note: str = ""


def versions_told(
    capabilities: CapabilitiesDocument, own_version: str, *, tell_newer: bool
) -> ClientVersions:
    """Return what to tell of a backend's word; without `tell_newer` only what stops this one."""
    from contract.versions import is_older  # here, because the first frame does without

    lowest = capabilities.min_client_version.strip()
    newest = capabilities.newest_client_version.strip()
    needed = lowest if is_older(own_version, lowest) else ""
    newer = newest if tell_newer and is_older(own_version, newest) else ""
    if not needed and not newer:
        return ClientVersions()
    return ClientVersions(needed, newer, _page(capabilities), _note(capabilities))


def _page(capabilities: CapabilitiesDocument) -> str:
    page = capabilities.client_page
    is_one = page.startswith("https://") and page.isprintable() and len(page) <= _LONGEST_PAGE
    return page if is_one else ""


def _note(capabilities: CapabilitiesDocument) -> str:
    """Return the firm's words in one line, without signs that turn or hide others."""
    words = " ".join(capabilities.client_note.split())
    return "".join(sign for sign in words if sign.isprintable())[:_LONGEST_NOTE]
