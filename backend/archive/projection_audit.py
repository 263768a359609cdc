"""Owns the audit of what people are shown: each message's row against the archived versions.

It never repairs anything and believes the entries alone, which the log's own audit has verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from sqlalchemy import Connection, select

from backend.archive.decision_audit import decision_fault
from backend.archive.projection_rows import (
    FIRST_KINDS,
    VERSION_KINDS,
    AboutEntry,
    MessageFacts,
    count_messages,
    message_pages,
)
from backend.archive.tree_audit import Fault
from backend.storage.tables import archive_entries, messages
from contract.receipts.bodies import KIND_FILE_ADDED, attachment_commitments
from contract.states import DeliveryState

Progress = Callable[[int, int], None]
_DIRECTIONS = {
    "message_out": "out",
    "message_in": "in",
    "message_system": "system",
    "native": "out",
}
_ORIGINS = {"import": "imported", "native": "native"}
_REPORTED = {
    DeliveryState.READ.value: frozenset({DeliveryState.READ.value}),
    DeliveryState.DELIVERED.value: frozenset(
        {DeliveryState.DELIVERED.value, DeliveryState.READ.value}
    ),
}


def audit_messages(connection: Connection, progress: Progress | None = None) -> int:
    """Compare every message with its archived versions; returns how many there are.

    Raises Fault for the first one that shows something else than was archived, or an entry whose
    message is not shown at all. `progress` is told the messages done and all there are.
    """
    total, done = count_messages(connection), 0
    try:
        for page in message_pages(connection):
            for facts in page:
                fault = fault_of_message(facts) or decision_fault(facts)
                if fault:
                    at = facts.history[-1].sequence if facts.history else None
                    raise Fault(f"message {facts.row.message_id}: {fault}", at)
            done += len(page)
            if progress is not None:
                progress(done, total)
    except (msgspec.DecodeError, ValueError) as error:
        raise Fault("an entry about a message can't be read: audit the log first") from error
    _check_all_shown(connection)
    return done


def fault_of_message(facts: MessageFacts) -> str:
    """Return what is wrong with one message's row in plain words, or an empty text."""
    if not facts.history:
        return "it has no entry in the archive"
    for faults in (_chain, _place, _content, _files, _reactions, _state):
        for fault in faults(facts):
            return fault
    return ""


def _chain(facts: MessageFacts) -> Iterator[str]:
    """Check that the versions are all there, each naming the one before it."""
    row, history = facts.row, facts.history
    if row.entry_id != history[-1].entry_id:
        yield "its row does not show its newest version"
    if row.versions_archived != len(history):
        yield f"its row counts {row.versions_archived} versions, the archive {len(history)}"
    listed = [(each.n, each.kind, each.entry_id, each.at_utc_ms) for each in facts.versions]
    made = [
        (n, each.kind, each.entry_id, each.archived_at_utc_ms) for n, each in enumerate(history, 1)
    ]
    if listed != made:
        yield "its list of versions differs from the archive"
    before = ""
    for entry in history:
        if entry.envelope.previous != before:
            yield "a version does not name the one before it"
        before = entry.leaf_hash.hex()
    if [entry.kind in FIRST_KINDS for entry in history].count(True) != 1:
        yield "it was archived as new more than once, or never"


def _place(facts: MessageFacts) -> Iterator[str]:
    """Check who said it where, and when: the row has this from the first version's leaf."""
    row, first, last = facts.row, facts.history[0], facts.history[-1]
    said = first.envelope
    if (row.firm_id, row.conversation_id) != (said.firm_id, said.conversation_id):
        yield "it stands in another conversation than archived"
    if row.author_id != said.actor_id:
        yield "its author is not the one archived"
    if row.direction != _DIRECTIONS.get(first.kind, row.direction):
        yield "its direction is not the one archived"
    if row.origin != _ORIGINS.get(first.kind, "live"):
        yield "its origin is not the one archived"
    if row.occurred_at_utc_ms != said.occurred_at_utc_ms:
        yield "its time is not the one archived"
    placed = said.occurred_at_utc_ms if row.origin == "imported" else first.archived_at_utc_ms
    if row.place_at_utc_ms != placed or row.place_index != first.sequence:
        yield "its place differs from when it was archived"
    # Schema 1 left a row at its first revision.
    if row.revision not in (last.envelope.revision, said.revision):
        yield "its revision is not the one archived"


def _content(facts: MessageFacts) -> Iterator[str]:
    """Check the words: those of the newest version that has any."""
    row, history = facts.row, facts.history
    if row.deleted != (history[-1].kind == "deleted"):
        yield "it is shown as taken back, or not, unlike the archive"
    spoken = [entry for entry in history if entry.kind != "deleted"][-1]
    edits = [entry.envelope.occurred_at_utc_ms for entry in history if entry.kind == "edited"]
    edited = edits[-1] if edits else None
    if row.edited_at_utc_ms != edited:
        yield "the time of its edit is not the one archived"
    if spoken.body is None:
        if row.text or not facts.erased:
            yield "its body was erased, its words are still shown"
        return
    if row.text != spoken.body.text:
        yield "its text is not the one archived"
    if (row.quote_message_id or "") != spoken.body.quote and not facts.erased:
        yield "it quotes another message than archived"
    first = history[0].body
    if first is not None and first.author is not None and row.author_name != first.author:
        yield "its author's name is not the one archived"
    if first is not None and first.external_id is not None and row.external_id != first.external_id:
        yield "the channel's id of it is not the one archived"


def _files(facts: MessageFacts) -> Iterator[str]:
    """Check the files' hashes against the body, and the body's against the leaf.

    They are those it came with, or those an import added to one that had none.
    """
    named: tuple[str, ...] = ()
    for entry in facts.history:
        if entry.kind not in FIRST_KINDS and entry.kind != KIND_FILE_ADDED:
            continue
        if entry.body is None or entry.salt is None:
            if any(file.sha256 or file.complete for file in facts.files):
                yield "its body was erased, its files are still there"
            return
        if named:
            yield "files were added to it although it had some"
        named = entry.body.attachments
        if entry.envelope.attachment_commitments != attachment_commitments(entry.salt, named):
            yield "its leaf commits to other files than its body names"
    have = tuple(file.sha256 for file in facts.files)
    # A refused message's files may have gone with the mended one.
    moved = facts.row.state == DeliveryState.BLOCKED.value
    if not (set(have) <= set(named) if moved else have == named):
        yield "its files are not those archived"
    if not all(file.complete for file in facts.files):
        yield "a file of it is not whole"


def _reactions(facts: MessageFacts) -> Iterator[str]:
    """Check the reactions shown: each actor's newest one."""
    newest: dict[str, AboutEntry] = {}
    for entry in facts.entries:
        if entry.kind == "reaction":
            newest[entry.envelope.actor_id] = entry
    archived = {
        (actor_id, entry.body.emoji)
        for actor_id, entry in newest.items()
        if entry.body is not None and entry.body.emoji
    }
    if {(row.actor_id, row.emoji) for row in facts.reactions} != archived:
        yield "its reactions are not those archived"


def _state(facts: MessageFacts) -> Iterator[str]:
    """Check that what the channel is said to have reported was archived when it did."""
    row = facts.row
    if (row.state is not None) != (row.direction == "out"):
        yield "it has a delivery state, or none, unlike its direction"
    wanted = _REPORTED.get(row.state)
    if wanted is None or not facts.decisions or facts.erased:
        return
    reports = {entry.body.reported for entry in facts.entries if entry.body is not None}
    vouched = facts.taken and row.state == DeliveryState.DELIVERED.value
    if not (reports & wanted or vouched):
        yield f"it is shown as {row.state}, which no archived receipt says"


def _check_all_shown(connection: Connection) -> None:
    """Raise Fault for an archived message that has no row."""
    entries = archive_entries.c
    lost = connection.execute(
        select(entries.sequence, entries.message_id)
        .outerjoin(messages, messages.c.message_id == entries.message_id)
        .where(
            entries.kind.in_(VERSION_KINDS),
            entries.message_id != "",
            messages.c.message_id.is_(None),
        )
        .order_by(entries.sequence)
        .limit(1)
    ).first()
    if lost is not None:
        raise Fault(f"message {lost.message_id} was archived, but is shown nowhere", lost.sequence)
