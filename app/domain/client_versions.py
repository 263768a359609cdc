"""What the backend says of versions of Parley: whether this one is too old, which newer one is.

It never installs anything: IT does.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.wire import CapabilitiesDocument

_LONGEST_NOTE = 200


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

    lowest, newest = capabilities.min_client_version, capabilities.newest_client_version
    needed = lowest if is_older(own_version, lowest) else ""
    newer = newest if tell_newer and is_older(own_version, newest) else ""
    if not needed and not newer:
        return ClientVersions()
    page = capabilities.client_page if capabilities.client_page.startswith("https://") else ""
    note = " ".join(capabilities.client_note.split())[:_LONGEST_NOTE]
    return ClientVersions(needed, newer, page, note)
