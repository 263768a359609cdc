"""How the client stands towards its backend, as one frozen value for banners and status bar.

It never carries content or addresses of clients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.archive import ArchiveAlarm
from app.domain.client_versions import ClientVersions
from contract.wire import ChannelTrouble


class Link(StrEnum):
    """The connection: starting (never been up), online, offline, embedded backend restarting."""

    STARTING = "starting"
    ONLINE = "online"
    OFFLINE = "offline"
    RESTARTING = "restarting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CoreStatus:
    """Everything banners and the status bar say.

    `since_utc_ms` tells since when `link` holds; `latency_ms` is the last round trip (0:
    unknown); `facts_version` rises when what policy knows on this computer changed; `notices`
    are user_message_keys of things that were kept aside or need a word, each with one detail.
    `archive_verified_utc_ms` tells when this computer last verified a
    proof of the archive; while `archive_alarm` stands, sending is paused. `troubles` are what was
    wrong with the person's channels when the backend last told; a label stands there only where
    the person has several accounts on the channel. `versions` is what the backend last said of
    the versions of Parley it works with.
    """

    link: Link = Link.STARTING
    since_utc_ms: int = 0
    latency_ms: float = 0.0
    workspace: str = ""
    embedded: bool = True
    syncing: bool = False
    sync_paused: bool = False
    synced_messages: int = 0
    total_messages: int = 0
    outbox_waiting: int = 0
    outbox_refused: int = 0
    policy_version: str = ""
    facts_version: int = 0
    last_archived_utc_ms: int = 0
    archive_verified_utc_ms: int = 0
    archive_alarm: ArchiveAlarm | None = None
    notices: tuple[tuple[str, str], ...] = ()
    troubles: tuple[ChannelTrouble, ...] = ()
    versions: ClientVersions = field(default_factory=ClientVersions)
