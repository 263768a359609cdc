"""Says what the local files take and what is done to them, in a careful product's words.

It never asks the store anything.
"""

from __future__ import annotations

from app.domain.upkeep import StorageUse, UpkeepEnd, UpkeepJob, UpkeepOutcome, UpkeepState

_RUNNING = {
    UpkeepJob.CHECK: "Reading every page",
    UpkeepJob.COMPACT: "Giving unused space back",
    UpkeepJob.LET_GO: "Making room: the oldest messages go first and stay in the archive",
    UpkeepJob.REBUILD_INDEX: "Writing the search anew: it finds more as it goes on",
    UpkeepJob.FINISH_INDEX: "Preparing the search of older messages for this version",
}
_DISK_FULL = "The disk has too little room for that. Free some space, then try again."
_FAILED = "That did not work. Try again; if it fails once more, tell your IT."


def storage_size_words(size_bytes: int) -> str:
    """Return `1.4 GB`, `4 GB`, `41 MB` or `5 KB`, counted in 1 024s as the limits are."""
    if size_bytes >= 1 << 30:
        return f"{size_bytes / (1 << 30):.1f}".removesuffix(".0") + " GB"
    if size_bytes >= 1 << 20:
        return f"{size_bytes / (1 << 20):.0f} MB"
    return f"{-(-size_bytes // 1024)} KB"


def use_words(use: StorageUse) -> str:
    """Return the line of sizes and limits."""
    messages = _of(use.messages_bytes, use.messages_limit_bytes)
    if not use.files_limit_bytes:
        return f"Messages {messages} · no files are kept · encrypted"
    return f"Messages {messages} · files {_of(use.files_bytes, use.files_limit_bytes)} · encrypted"


def running_words(state: UpkeepState) -> str:
    """Return what is being done and how far it is, "" when nothing is."""
    if state.job is None:
        return ""
    return f"{_RUNNING[state.job]} · {100 * state.fraction:.0f} %"


def outcome_words(outcome: UpkeepOutcome | None) -> str:
    """Return how the last job ended, "" when there was none."""
    if outcome is None:
        return ""
    match outcome.end:
        case UpkeepEnd.DONE:
            return _done(outcome)
        case UpkeepEnd.CANCELLED:
            return _cancelled(outcome.job)
        case UpkeepEnd.DAMAGED:
            return (
                "Damage was found. Start Parley again: it sets the damaged file aside and "
                "fetches everything anew. Drafts and waiting messages are kept."
            )
        case UpkeepEnd.INDEX_STALE:
            return (
                f"{_number(outcome.amount)} messages are whole, but search does not find all "
                "of them. Rebuild the search to mend that."
            )
        case UpkeepEnd.DISK_FULL:
            return _DISK_FULL
        case UpkeepEnd.FAILED:
            return _FAILED


def _done(outcome: UpkeepOutcome) -> str:
    match outcome.job:
        case UpkeepJob.CHECK:
            return f"{_number(outcome.amount)} messages checked: everything is whole."
        case UpkeepJob.COMPACT:
            if not outcome.amount:
                return "There was nothing to give back."
            return f"{storage_size_words(outcome.amount)} are free again."
        case UpkeepJob.LET_GO:
            if not outcome.amount:
                return "Nothing older could go: the newest messages of each chat always stay."
            return (
                f"{_number(outcome.amount)} old messages made room. They are in the archive and "
                "come back when you scroll to them."
            )
        case UpkeepJob.REBUILD_INDEX | UpkeepJob.FINISH_INDEX:
            return "Search finds every message."


def _cancelled(job: UpkeepJob) -> str:
    match job:
        case UpkeepJob.CHECK:
            return "Stopped before everything was read."
        case UpkeepJob.COMPACT:
            return "Stopped. What was given back until then stays free."
        case UpkeepJob.LET_GO:
            return "Stopped. Room is made again when Parley starts the next time."
        case UpkeepJob.REBUILD_INDEX | UpkeepJob.FINISH_INDEX:
            return "Stopped. It goes on when Parley starts the next time."


def _of(size_bytes: int, limit_bytes: int) -> str:
    size = storage_size_words(size_bytes)
    return f"{size} of {storage_size_words(limit_bytes)}" if limit_bytes else size


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")
