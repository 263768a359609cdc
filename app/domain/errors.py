"""The one tree of errors that cross the client's rooms.

It never formats a sentence for the user: `user_message_key` names it.

    AppError
    ├─ EnvironmentFault   Offline · Timeout · DiskFull · KeyringLocked · KeyringMissing · …
    ├─ Refused            PolicyDenied · AuthExpired · Conflict · NotAllowed · TooLarge · …
    ├─ BadData            MalformedEvent · MalformedReply · UnknownVersion · CursorGone · …
    └─ Bug                anything we did not foresee
"""

from __future__ import annotations

from contract.problems import Problem


class AppError(Exception):
    """Base: `code` is stable, `user_message_key` names the sentence for the user."""

    code = "app_error"
    user_message_key = "error.unexpected"
    retryable = False

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.retry_after_s = retry_after_s


class EnvironmentFault(AppError):
    """The machine or the network is at fault; trying again may help."""

    code = "environment"
    user_message_key = "error.environment"
    retryable = True


class Offline(EnvironmentFault):
    """No connection to the backend."""

    code = "offline"
    user_message_key = "error.offline"


class Timeout(EnvironmentFault):
    """The backend did not answer in time; the request may have arrived."""

    code = "timeout"
    user_message_key = "error.timeout"


class BackendFault(EnvironmentFault):
    """The backend answered that it can't just now (5xx, 429)."""

    code = "backend_fault"
    user_message_key = "error.backend_fault"


class DiskFull(EnvironmentFault):
    """The disk that holds Parley's data is full."""

    code = "disk_full"
    user_message_key = "error.disk_full"


class StoreBusy(EnvironmentFault):
    """Another Parley holds this data folder."""

    code = "store_busy"
    user_message_key = "error.store_busy"
    retryable = False


class OutboxInUse(StoreBusy):
    """Another session, maybe on another computer, holds the folder of unsent messages."""

    code = "outbox_in_use"
    user_message_key = "error.outbox_in_use"


class OutboxUnreachable(EnvironmentFault):
    """The folder set for unsent messages can't be reached or written."""

    code = "outbox_unreachable"
    user_message_key = "error.outbox_unreachable"
    retryable = False


class KeyringLocked(EnvironmentFault):
    """The system's keyring is there but locked or refuses us."""

    code = "keyring_locked"
    user_message_key = "error.keyring_locked"
    retryable = False


class KeyringMissing(EnvironmentFault):
    """This session has no keyring; a passphrase can protect the data instead."""

    code = "keyring_missing"
    user_message_key = "error.keyring_missing"
    retryable = False


class KeyLost(KeyringMissing):
    """The data is here but the keyring no longer holds its key; the data is kept as it is."""

    code = "key_lost"
    user_message_key = "error.key_lost"


class PassphraseWrong(KeyringLocked):
    """The passphrase does not open the wrapped key."""

    code = "passphrase_wrong"
    user_message_key = "error.passphrase_wrong"


class WrongKey(EnvironmentFault):
    """A local database was made with another key; it is kept as it is."""

    code = "wrong_key"
    user_message_key = "error.wrong_key"
    retryable = False


class Refused(AppError):
    """The other side understood and said no; the same request will be refused again."""

    code = "refused"
    user_message_key = "error.refused"

    def __init__(self, detail: str = "", *, problem: Problem | None = None) -> None:
        super().__init__(detail)
        self.problem = problem


class PolicyDenied(Refused):
    """The firm's policy refuses this message; `problem` holds the findings."""

    code = "policy_denied"
    user_message_key = "error.policy_denied"


class AuthExpired(Refused):
    """The session's token is no longer taken."""

    code = "auth_expired"
    user_message_key = "error.auth_expired"


class NotAllowed(Refused):
    """The person may not do this or the thing is not there for them."""

    code = "not_allowed"
    user_message_key = "error.not_allowed"


class Conflict(Refused):
    """The backend holds something else under the same key or in another state."""

    code = "conflict"
    user_message_key = "error.conflict"


class TooLarge(Refused):
    """What was sent is over a limit."""

    code = "too_large"
    user_message_key = "error.too_large"


class ClientTooOld(Refused):
    """This version of Parley is below the backend's minimum."""

    code = "client_too_old"
    user_message_key = "error.client_too_old"


class BadData(AppError):
    """Something we read does not hold what it must."""

    code = "bad_data"
    user_message_key = "error.bad_data"


class MalformedEvent(BadData):
    """An event of the stream could not be read."""

    code = "malformed_event"
    user_message_key = "error.malformed_event"


class MalformedReply(BadData):
    """A reply of the backend could not be read, maybe garbled on its way."""

    code = "malformed_reply"
    user_message_key = "error.malformed_reply"
    retryable = True


class UnknownVersion(BadData):
    """The data was written by a newer Parley."""

    code = "unknown_version"
    user_message_key = "error.unknown_version"


class CursorGone(BadData):
    """The stream no longer holds our position: sync again from a snapshot."""

    code = "cursor_gone"
    user_message_key = "error.cursor_gone"


class CorruptStore(BadData):
    """A local database can't be read; `detail` names which."""

    code = "corrupt_store"
    user_message_key = "error.corrupt_store"


class Bug(AppError):
    """Something we did not foresee; it is logged with its place, never with content."""

    code = "bug"
    user_message_key = "error.unexpected"
