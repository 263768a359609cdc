"""Looks over the running client: store, keyring, service, stream, policy, archive, outbox.

It never changes anything a person can see and never puts content into a sentence.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from app.diagnostics.results import CheckResult, CheckStatus, Owner
from app.domain.archive import Finding
from app.domain.errors import (
    AppError,
    ClientTooOld,
    DiskFull,
    EnvironmentFault,
    KeyLost,
    KeyringLocked,
    KeyringMissing,
    OutboxInUse,
    OutboxUnreachable,
    StoreBusy,
    UnknownVersion,
    WrongKey,
)
from app.domain.settings_account import SettingsAccount
from app.domain.status import CoreStatus, Link
from app.domain.version import CLIENT_VERSION
from app.session.keys import DataFolder, KeyVault
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError, Garbled, ProblemReply, TimedOut
from contract.wire import ArchiveProbe

_LOG = logging.getLogger(__name__)

CHECK_TIMEOUT_S = 20.0
LITTLE_DISK_BYTES = 500_000_000
_OK, _WARN, _FAIL = CheckStatus.OK, CheckStatus.WARN, CheckStatus.FAIL
_ORIGINS = (
    ("managed", "managed"),
    ("installer", "set at installation"),
    ("user", "set by the user"),
    ("default", "as Parley has them"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked over; `fault` is why the store or the link could not be opened."""

    store: Store | None
    vault: KeyVault
    folder: DataFolder
    api: GovernedApi | None
    status: CoreStatus
    fault: AppError | None = None
    check_probe: Callable[[ArchiveProbe], Awaitable[Finding]] | None = None
    settings: Callable[[], SettingsAccount] | None = None


Check = Callable[[Subject], Awaitable[CheckResult]]


async def run_checks(subject: Subject) -> AsyncIterator[CheckResult]:
    """Yield one result a check, in the order in which faults follow from each other."""
    for name, check in CHECKS.items():
        started = time.perf_counter()
        result = await _guarded(name, check, subject)
        yield replace(result, elapsed_ms=(time.perf_counter() - started) * 1000)


async def check_settings(subject: Subject) -> CheckResult:
    """Read the places of settings again, off the loop, and say what is wrong or waits there."""
    name = "check.settings"
    if subject.settings is None:
        return CheckResult(name, _OK, "No settings were looked at")
    account = await asyncio.to_thread(subject.settings)
    # What stops Parley first, then what IT has to mend, then the user's own.
    faults = sorted(account.faults, key=lambda fault: (not fault.stops, fault.by_user))
    if faults:
        more = f"; and {len(faults) - 1} more, see the list" if len(faults) > 1 else ""
        owner = Owner.USER if faults[0].by_user else Owner.IT
        status = _FAIL if faults[0].stops else _WARN
        return CheckResult(name, status, f"{faults[0].words}{more}", owner)
    if account.changed:
        words = f"Changed since Parley started: {', '.join(account.changed)}; start Parley again"
        return CheckResult(name, _WARN, words, Owner.USER)
    counts = Counter(line.origin for line in account.lines)
    words = ", ".join(f"{counts[origin]} {said}" for origin, said in _ORIGINS if counts[origin])
    return CheckResult(name, _OK, f"{len(account.lines)} settings: {words}")


async def check_store(subject: Subject) -> CheckResult:
    """Open files, run SQLite's quick check unless they are large, count, look at the free disk."""
    name = "check.store"
    if subject.store is None:
        return _from_fault(name, subject.fault)
    found = await subject.store.check(briefly=True)
    if found.cache_problems or found.outbox_problems:
        words = "Damage was found; restart Parley, it keeps the damaged file and reads anew."
        return CheckResult(name, _FAIL, words, Owner.USER)
    if not found.search_index_sound:
        words = "Search does not find every message yet; Settings, Storage can rebuild it."
        return CheckResult(name, _WARN, words, Owner.USER)
    counts = f"{_number(found.message_count)} messages, {_number(found.contact_count)} people"
    size_mb = (found.cache_size_bytes + found.outbox_size_bytes) / 1_000_000
    if found.free_disk_bytes < LITTLE_DISK_BYTES:
        free_mb = found.free_disk_bytes // 1_000_000
        words = f"Only {free_mb} MB are free on the disk; please free some space."
        return CheckResult(name, _WARN, words, Owner.USER)
    checked = "quick check passed" if found.every_page else "every page: Settings, Storage"
    return CheckResult(name, _OK, f"Encrypted, {counts}, {size_mb:.1f} MB, {checked}")


async def check_keyring(subject: Subject) -> CheckResult:
    """See that the key of the data folder can still be read."""
    name = "check.keyring"
    if await asyncio.to_thread(subject.vault.uses_passphrase, subject.folder):
        return CheckResult(name, _OK, "A passphrase protects the key of this data folder")
    if subject.store is None and isinstance(subject.fault, KeyringMissing | KeyringLocked):
        return _from_fault(name, subject.fault)
    try:
        await asyncio.to_thread(subject.vault.load_or_create, subject.folder)
    except AppError as fault:
        return _from_fault(name, fault)
    return CheckResult(name, _OK, "The key is in this computer's keyring")


async def check_backend(subject: Subject) -> CheckResult:
    """Ask the service how it is."""
    name = "check.backend"
    if subject.api is None:
        return _not_connected(name, subject)
    health = await subject.api.workspace.health()
    place = "on this computer" if subject.status.embedded else "of your firm"
    if health.status != "ok":
        what = ", ".join(health.problems) or health.status
        return CheckResult(name, _WARN, f"The service {place} reports: {what}", Owner.IT)
    return CheckResult(name, _OK, f"Version {health.backend_version} {place}, all well")


async def check_version(subject: Subject) -> CheckResult:
    """Compare this version with those the service told of; it never asks for them itself."""
    name, told = "check.version", subject.status.versions
    if told.needed:
        words = f"{CLIENT_VERSION} is too old for the service, which needs {told.needed} or newer"
        return CheckResult(name, _FAIL, words, Owner.IT)
    if told.newer:
        words = f"{CLIENT_VERSION}; {told.newer} is available. IT installs it, never Parley itself"
        return CheckResult(name, _WARN, words, Owner.IT)
    return CheckResult(name, _OK, f"{CLIENT_VERSION}; no newer one is told of")


async def check_events(subject: Subject) -> CheckResult:
    """Compare this computer's position in the stream with the service's."""
    name = "check.events"
    if subject.api is None or subject.store is None:
        return _not_connected(name, subject)
    position = await subject.store.cache.cursor()
    if position is None:
        return CheckResult(name, _WARN, "The first reading is not finished yet; please wait")
    page = await subject.api.inbox.events_poll(position, 0.0)
    behind = max(0, page.last_seq - position)
    if subject.status.link is not Link.ONLINE:
        words = f"Not connected; {behind} events wait at the service"
        return CheckResult(name, _FAIL, words, _link_owner(subject))
    return CheckResult(name, _OK, f"Connected at position {_number(position)}, {behind} behind")


async def check_policy(subject: Subject) -> CheckResult:
    """See that rules are in use and can be fetched."""
    name = "check.policy"
    if subject.api is None:
        return _not_connected(name, subject)
    await subject.api.workspace.policy_bundle()
    if not subject.status.policy_version:
        words = "No rules are in use yet, so drafts get no hints; the service still checks them"
        return CheckResult(name, _WARN, words, Owner.IT)
    return CheckResult(name, _OK, f"{subject.status.policy_version} in use, service reachable")


async def check_archive(subject: Subject) -> CheckResult:
    """Have a synthetic entry sealed and read back, and verify its proof here."""
    name, alarm = "check.archive", subject.status.archive_alarm
    if alarm is not None:
        words = f"Sending is paused: the proof does not match ({alarm.kind}, {alarm.detail_code})"
        return CheckResult(name, _FAIL, words, Owner.IT)
    if subject.api is None or subject.check_probe is None:
        return _not_connected(name, subject)
    probe = await subject.api.workspace.archive_probe()
    entry = f"Synthetic entry {_number(probe.archive.index)}"
    found = await subject.check_probe(probe)
    if found is Finding.VERIFIED:
        return CheckResult(name, _OK, f"{entry} sealed and its proof verified")
    if found is Finding.NO_KEYS:
        words = f"{entry} sealed, but the archive's keys are not set on this computer"
        return CheckResult(name, _WARN, words, Owner.IT)
    if found is Finding.PENDING:
        return CheckResult(name, _WARN, f"{entry} written, second check pending", Owner.IT)
    return CheckResult(name, _FAIL, f"{entry} written, but its proof does not match", Owner.IT)


async def check_channels(subject: Subject) -> CheckResult:
    """Say what the service told of the person's channels."""
    name = "check.channels"
    if subject.api is None or subject.status.link is not Link.ONLINE:
        return _not_connected(name, subject)
    found = subject.status.troubles
    if not found:
        return CheckResult(name, _OK, "The service reports no trouble with your channels")
    words = "; ".join(
        f"{each.channel.value} ({each.account_id}) {each.kind} since"
        f" {_moment(each.since_utc_ms)}, {each.waiting} waiting"
        for each in found
    )
    return CheckResult(name, _WARN, f"{words}; messages wait in order", Owner.IT)


async def check_outbox(subject: Subject) -> CheckResult:
    """Count what waits and what was refused."""
    name = "check.outbox"
    if subject.store is None:
        return _from_fault(name, subject.fault)
    found = await subject.store.check(briefly=True)
    words = f"{found.waiting_count} waiting, {found.refused_count} refused"
    if found.refused_count:
        return CheckResult(name, _WARN, f"{words}; open the refused ones to edit", Owner.USER)
    return CheckResult(name, _OK, words)


CHECKS: dict[str, Check] = {
    "check.settings": check_settings,
    "check.store": check_store,
    "check.keyring": check_keyring,
    "check.backend": check_backend,
    "check.version": check_version,
    "check.events": check_events,
    "check.policy": check_policy,
    "check.archive": check_archive,
    "check.channels": check_channels,
    "check.outbox": check_outbox,
}


async def _guarded(name: str, check: Check, subject: Subject) -> CheckResult:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check(subject)
    except TimeoutError:
        words = f"No answer within {CHECK_TIMEOUT_S:.0f} seconds"
        return CheckResult(name, _FAIL, words, _link_owner(subject))
    except ClientError as error:
        return _from_client_error(name, error, subject)
    except AppError as fault:
        return _from_fault(name, fault)
    except Exception as error:  # noqa: BLE001 - the top of a check: the others must be seen
        _LOG.exception("%s failed", name)
        words = f"The check itself failed ({type(error).__name__}); tell support"
        return CheckResult(name, _FAIL, words, Owner.VENDOR)


def _from_client_error(name: str, error: ClientError, subject: Subject) -> CheckResult:
    if isinstance(error, ProblemReply):
        if error.status == 401:
            return CheckResult(name, _FAIL, "Your sign-in has ended; sign in again", Owner.USER)
        if error.status == 426:
            return CheckResult(name, _FAIL, "This Parley is too old for the service", Owner.IT)
        words = f"The service answered with {error.problem.code}"
        return CheckResult(name, _FAIL, words, Owner.VENDOR if error.status >= 500 else Owner.IT)
    if isinstance(error, Garbled):
        words = "The answer can't be read; something on the way may change it"
        return CheckResult(name, _FAIL, words, _link_owner(subject))
    words = "No answer in time" if isinstance(error, TimedOut) else "The service can't be reached"
    return CheckResult(name, _FAIL, words, _link_owner(subject))


def _from_fault(name: str, fault: AppError | None) -> CheckResult:
    words: dict[type[AppError], tuple[str, Owner]] = {
        OutboxInUse: ("Another session of yours uses the unsent messages; close it", Owner.USER),
        OutboxUnreachable: ("The folder for unsent messages can't be reached", Owner.IT),
        StoreBusy: ("Parley is open with this data folder; use its own page (F12)", Owner.USER),
        DiskFull: ("The disk is full; free some space", Owner.USER),
        UnknownVersion: ("The data was written by a newer Parley; update this one", Owner.IT),
        KeyLost: ("The key is no longer in the keyring; the data is kept", Owner.IT),
        KeyringMissing: ("This session has no keyring; a passphrase can be used", Owner.IT),
        KeyringLocked: ("The keyring is locked or the passphrase is missing", Owner.USER),
        WrongKey: ("The key does not open the data, which is kept; bring the key back", Owner.IT),
        ClientTooOld: ("This Parley is too old for the service", Owner.IT),
        # The widest last: a folder that can't be made, read or written.
        EnvironmentFault: ("The data folder can't be used; look at its permissions", Owner.IT),
    }
    for kind, (sentence, owner) in words.items():
        if isinstance(fault, kind):
            return CheckResult(name, _FAIL, sentence, owner)
    code = fault.code if fault is not None else "not opened"
    return CheckResult(name, _FAIL, f"The data can't be opened ({code})", Owner.VENDOR)


def _not_connected(name: str, subject: Subject) -> CheckResult:
    if subject.store is None:
        return CheckResult(name, _FAIL, "Not tried: the local data is not open", _owner(subject))
    return CheckResult(name, _FAIL, "The service can't be reached", _link_owner(subject))


def _owner(subject: Subject) -> Owner:
    return _from_fault("", subject.fault).owner


def _link_owner(subject: Subject) -> Owner:
    return Owner.VENDOR if subject.status.embedded else Owner.IT


def _moment(at_utc_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_utc_ms / 1000))


def _number(value: int) -> str:
    return f"{value:,}".replace(",", " ")
