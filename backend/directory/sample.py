"""The sample workspace's files as values: what is in them, with times made absolute.

It never writes to the database.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from contract.supervision import Template
from contract.wire import Channel, ConsentKind, ConsentStatus, IdempotencyClass, Mode, Role

_MINUTES_AGO = re.compile(r"-(\d+)m")
_DAYS_AGO = re.compile(r"-(\d+)d (\d\d):(\d\d)")


class SampleFirm(msgspec.Struct, frozen=True, kw_only=True):
    """The firm."""

    id: str
    name: str


class SampleEmployee(msgspec.Struct, frozen=True, kw_only=True):
    """Someone of the firm."""

    id: str
    name: str
    initials: str
    roles: tuple[Role, ...]
    time_zone: str
    language: str


class SampleAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A channel account."""

    id: str
    channel: Channel
    label: str
    idempotency: IdempotencyClass
    mode: Mode = Mode.GOVERNED
    pooled: bool = False


class SamplePoint(msgspec.Struct, frozen=True, kw_only=True):
    """An address of a contact."""

    id: str
    channel: Channel
    id_type: str
    address: str
    label: str
    mode: Mode = Mode.GOVERNED


class SampleConsent(msgspec.Struct, frozen=True, kw_only=True):
    """A consent; `decided` is an ISO time or relative like a message's `at`."""

    kind: ConsentKind
    status: ConsentStatus
    channel: Channel | None = None
    decided: str = ""
    text_version: str = ""


class SampleContact(msgspec.Struct, frozen=True, kw_only=True):
    """A client."""

    id: str
    name: str
    initials: str
    color: int
    points: tuple[SamplePoint, ...]
    consents: tuple[SampleConsent, ...]
    organisation: str = ""
    city: str = ""
    time_zone: str = ""
    language: str = "en"
    retail: bool = False
    shared_with: tuple[str, ...] = ()


class SampleWall(msgspec.Struct, frozen=True, kw_only=True):
    """A wall between an employee and a contact."""

    employee: str
    contact: str
    reference: str


class SampleConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation; its messages lie in a file of its own."""

    id: str
    account: str
    points: tuple[str, ...]
    group: bool = False
    unread: int = 0
    awaiting: bool | None = None
    tags: tuple[str, ...] = ()
    window_closes_in_min: int | None = None
    window_messages_left: int | None = None


class SampleLine(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a history; README.md in the folder says what each field means."""

    at: str
    by: str
    text: str
    ref: str = ""
    quote: str = ""
    react: str = ""
    file: str = ""
    edited: str = ""


class SampleWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """All of it but the histories."""

    firm: SampleFirm
    employees: tuple[SampleEmployee, ...]
    signed_in: str
    accounts: tuple[SampleAccount, ...]
    contacts: tuple[SampleContact, ...]
    walls: tuple[SampleWall, ...]
    conversations: tuple[SampleConversation, ...]
    templates: tuple[Template, ...] = ()

    @property
    def zone(self) -> tzinfo:
        """Return the signed-in employee's time zone, UTC where the system knows none."""
        name = next(e.time_zone for e in self.employees if e.id == self.signed_in)
        try:
            return ZoneInfo(name)
        except ZoneInfoNotFoundError:
            return UTC


def sample_folder() -> Path:
    """Return the folder of the sample workspace."""
    import resources

    return Path(resources.__file__).parent / "sample"


def read_workspace(folder: Path) -> SampleWorkspace:
    """Return the workspace; raises msgspec.ValidationError when the file is at fault."""
    return msgspec.json.decode((folder / "workspace.json").read_bytes(), type=SampleWorkspace)


def read_history(folder: Path, conversation_id: str) -> tuple[SampleLine, ...]:
    """Return a conversation's messages, oldest first."""
    body = (folder / "histories" / f"{conversation_id}.json").read_bytes()
    return msgspec.json.decode(body, type=tuple[SampleLine, ...])


def absolute_utc_ms(at: str, now_utc_ms: int, zone: tzinfo) -> int:
    """Return the time `at` means, never later than now; raises ValueError for another form."""
    minutes = _MINUTES_AGO.fullmatch(at)
    if minutes is not None:
        return now_utc_ms - int(minutes.group(1)) * 60_000
    days = _DAYS_AGO.fullmatch(at)
    if days is None:
        return min(now_utc_ms, int(datetime.fromisoformat(at).timestamp() * 1000))
    today = datetime.fromtimestamp(now_utc_ms / 1000, zone)
    day = today.date() - timedelta(days=int(days.group(1)))
    then = datetime(
        day.year, day.month, day.day, int(days.group(2)), int(days.group(3)), tzinfo=zone
    )
    return min(now_utc_ms, int(then.timestamp() * 1000))
