"""Says in plain sentences what there is to say about a search: its filters, the archive.

It never searches and never shows anything itself.
"""

from __future__ import annotations

from app.domain.search import Advice, AdviceKind, ArchiveState
from ui.models.sendability import CHANNEL_NAMES

FOOT = (
    "↑↓ choose · Enter opens · from: with: in: channel: has:file before: after: · older messages"
    " are searched in the archive"
)
_CHANNELS = ", ".join(CHANNEL_NAMES.values())
_ADVICE = {
    AdviceKind.UNKNOWN_FILTER: "“{filter}:” is no filter, so it is searched for as words. Filters"
    " are from:, with:, in:, channel:, has:file, before: and after:.",
    AdviceKind.UNKNOWN_CHANNEL: f"There is no channel “{{value}}”. Channels are {_CHANNELS}.",
    AdviceKind.UNKNOWN_THING: "“has:{value}” is not known. Write has:file for messages with files.",
    AdviceKind.NO_DATE: "“{filter}:” needs a date such as 2026-11-05, 2026-11, 5.11.2026,"
    " yesterday or 7d. “{value}” is left out.",
    AdviceKind.EMPTY_RANGE: "No day is both after the one date and before the other.",
    AdviceKind.NOBODY: "Nobody called “{value}” is in your book.",
    AdviceKind.NO_CONVERSATION: "No conversation is called “{value}”.",
    AdviceKind.TOO_MANY: "“{filter}:{value}” fits very many. Write more of the name.",
    AdviceKind.INDEX_UNFINISHED: "The search index is being renewed: older messages may be missed"
    " for some minutes.",
}
_ARCHIVE = {
    ArchiveState.OFFLINE: "No connection: only this computer was searched.",
    ArchiveState.ASKING: "Searching the archive…",
    ArchiveState.BUSY: "The archive is busy: only this computer was searched. Try again shortly.",
    ArchiveState.FAILED: "The archive did not answer: only this computer was searched.",
}


def advice_sentence(advice: Advice) -> str:
    """Return what is said about a filter."""
    return _ADVICE[advice.kind].format(filter=advice.filter, value=advice.value)


def foot_words(state: ArchiveState, found: int) -> str:
    """Return the line below the list; `found` counts what only the archive has."""
    if state is ArchiveState.ANSWERED and found:
        return f"{found} from the archive, not on this computer."
    if state is ArchiveState.ANSWERED:
        return "The archive was searched as well."
    return _ARCHIVE.get(state, FOOT)
