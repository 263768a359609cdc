"""Owns the dry run of a bundle over the archive: what it would newly block, warn of or let go.

It never changes a row, and it tells message ids and rules but no words.

Both bundles decide on each submission as it was archived: its words, files, quoted message and
template. Consent, walls, windows, quiet hours, reach and gifts of the year let everything through
on both sides, so that a chat walled or closed since hides no new block: only the words decide.
What was found in files and whose names and accounts are in the book is today's knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, select

from backend.directory.people import read_me
from backend.governance.attachments import inspected_attachments
from backend.governance.facts import Content, ground_of
from backend.inbox.rendering import read_conversation
from backend.storage.tables import archive_bodies, archive_entries, attachments
from contract.inspection.facts import uninspected_attachment
from contract.policy.bundle import CompiledBundle
from contract.policy.evaluate import evaluate
from contract.policy.model import (
    Action,
    Attachment,
    ContactPointFacts,
    Decision,
    Draft,
    Facts,
    GiftFacts,
    ReachFacts,
    WallFacts,
)
from contract.receipts.bodies import KIND_MESSAGE_OUT
from contract.values import ConsentStatus
from contract.wire import Attachment as WireAttachment

_AT_ONCE = 500


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One message on which the bundles differ; `rules_new` found something only in the new one."""

    message_id: str
    outcome: str
    was: str
    would_be: str
    rules_new: tuple[str, ...]
    rules_gone: tuple[str, ...]


class Outcome(msgspec.Struct, kw_only=True):
    """The count of messages by what would become of them."""

    messages: int = 0
    newly_blocked: int = 0
    newly_held: int = 0
    newly_warned: int = 0
    let_go: int = 0
    unchanged: int = 0
    unreadable: int = 0


class Replay:
    """One dry run; iterate `differences` to its end, then read `outcome`."""

    def __init__(self, connection: Connection, old: CompiledBundle, new: CompiledBundle) -> None:
        self.outcome = Outcome()
        self._connection = connection
        self._old = old
        self._new = new

    def differences(self, since_utc_ms: int) -> Iterator[Replayed]:
        """Yield the submissions since a time on which the bundles differ, in archive order."""
        after = -1
        entries = archive_entries.c
        while True:
            rows = self._connection.execute(
                select(
                    entries.sequence,
                    entries.message_id,
                    entries.conversation_id,
                    entries.archived_at_utc_ms,
                    entries.leaf,
                    archive_bodies.c.body,
                )
                .outerjoin(archive_bodies, archive_bodies.c.entry_id == entries.entry_id)
                .where(
                    entries.sequence > after,
                    entries.kind == KIND_MESSAGE_OUT,
                    entries.archived_at_utc_ms >= since_utc_ms,
                )
                .order_by(entries.sequence)
                .limit(_AT_ONCE)
            ).all()
            for row in rows:
                after = row.sequence
                actor_id = msgspec.json.decode(row.leaf, type=_Actor).actor_id
                case = self._case(actor_id, row.conversation_id, row.body, row.archived_at_utc_ms)
                found = None if case is None else self._judge(row.message_id, *case)
                if found is not None:
                    yield found
                self.outcome.unreadable += case is None
            if len(rows) < _AT_ONCE:
                return

    def _case(
        self, employee_id: str, conversation_id: str, body: bytes | None, at_utc_ms: int
    ) -> tuple[Facts, Draft] | None:
        """Return what to decide on; None when the words were erased or the chat is gone."""
        self.outcome.messages += 1
        me = read_me(self._connection, employee_id)
        conversation = read_conversation(self._connection, employee_id, conversation_id)
        if body is None or me is None or conversation is None:
            return None
        said = msgspec.json.decode(body, type=_Body)
        content = Content(
            text=said.text,
            files=_files(self._connection, employee_id, said.attachments),
            quote_message_id=said.quote or None,
            template_id=said.template,
        )
        ground = ground_of(self._connection, me, conversation, content, at_utc_ms)
        return _neutral(ground.facts), ground.draft

    def _judge(self, message_id: str, facts: Facts, draft: Draft) -> Replayed | None:
        was, would_be = evaluate(self._old, facts, draft), evaluate(self._new, facts, draft)
        old_rules, new_rules = _rules(was), _rules(would_be)
        outcome = _outcome(was.action, would_be.action)
        setattr(self.outcome, outcome, getattr(self.outcome, outcome) + 1)
        if outcome == "unchanged" and old_rules == new_rules:
            return None
        return Replayed(
            message_id=message_id,
            outcome=outcome,
            was=was.action.value,
            would_be=would_be.action.value,
            rules_new=tuple(sorted(new_rules - old_rules)),
            rules_gone=tuple(sorted(old_rules - new_rules)),
        )


class _Actor(msgspec.Struct, frozen=True):
    actor_id: str


class _Body(msgspec.Struct, frozen=True):
    text: str = ""
    quote: str = ""
    template: str = ""
    attachments: tuple[str, ...] = ()


def _files(
    connection: Connection, employee_id: str, digests: Sequence[str]
) -> tuple[Attachment, ...]:
    """Return what is known of the files of a submission, by their SHA-256, in its order.

    A file that is gone is not evaluated, never clean.
    """
    columns = attachments.c
    rows = connection.execute(
        select(attachments).where(
            columns.owner_id == employee_id, columns.sha256.in_(list(digests)), columns.complete
        )
    )
    files = [
        WireAttachment(
            attachment_id=row.attachment_id,
            name=row.name,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            scan=row.scan,
        )
        for row in (rows if digests else ())
    ]
    known = {file.sha256: file for file in inspected_attachments(connection, files)}
    gone = (uninspected_attachment("", "", digest, 0) for digest in digests if digest not in known)
    known |= {file.sha256: file for file in gone}
    return tuple(known[digest] for digest in digests)


def _neutral(facts: Facts) -> Facts:
    """Return facts in which nothing but words and files can stop a message."""
    return msgspec.structs.replace(
        facts,
        contact_points=tuple(_open_point(point) for point in facts.contact_points),
        walls=WallFacts(),
        reach=ReachFacts(),
        gifts=GiftFacts(),
    )


def _open_point(point: ContactPointFacts) -> ContactPointFacts:
    return msgspec.structs.replace(
        point,
        recording_notice=ConsentStatus.ACCEPTED,
        opt_in=ConsentStatus.ACCEPTED,
        opted_out=False,
        window_closes_at_utc_ms=None,
        window_messages_left=None,
        utc_offset_min=None,
    )


def _rules(decision: Decision) -> set[str]:
    return {finding.rule_id for finding in decision.findings}


def _outcome(was: Action, would_be: Action) -> str:
    if was is would_be:
        return "unchanged"
    if would_be < was:
        return "let_go"
    if would_be is Action.BLOCK:
        return "newly_blocked"
    return "newly_held" if would_be is Action.APPROVE else "newly_warned"
