"""What each event of a channel changes: messages, receipts, consent and connection.

It never fetches anything and never commits: the recorder's transaction does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, select

from backend.archive.entries import append_act
from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.accounts import DISCONNECTED, pause_account, resume_account
from backend.delivery.chats import actor_of, chat_address, chat_name, chat_of, find_chat
from backend.delivery.echoes import record_echo
from backend.delivery.identities import follow_group, keep_together, name_group
from backend.delivery.message_refs import AUTHOR, keep_refs, read_refs
from backend.delivery.opting_out import OptOut, opt_out
from backend.delivery.saying import FILE_GONE, say
from backend.directory.consents import record_consent
from backend.directory.native_capture import note_capture
from backend.directory.notices import version_told
from backend.directory.points import GROUP, masked
from backend.inbox.inbound import (
    StoredFile,
    firm_of_account,
    record_delete,
    record_edit,
    record_inbound,
    record_reaction,
)
from backend.inbox.messages import find_by_external_id
from backend.inbox.receipts import record_receipt
from backend.inbox.recording_notice import first_contact, take_answer
from backend.storage.tables import contact_points, conversations, messages
from contract.states import DeliveryState
from contract.wire import Channel, ConsentKind, ConsentStatus, Direction, MessageKind, Origin

_OPTED_OUT = "Client opted out. Messages on this channel are no longer sent."
_AGREED = "Recording notice accepted by client"
_REFUSED = "Client refused to be recorded. Messages on this channel are not sent."
_ANSWERED = {ConsentStatus.ACCEPTED: _AGREED, ConsentStatus.REFUSED: _REFUSED}
_IDENTITY = "The client's identity on this channel changed. Check with the client before you write."
_PASSED_ON = (
    "This number now writes from another account: it may be somebody else's by now. "
    "Check with the client before you write."
)
_CHANGED = "A message that Parley did not see was changed. It now says: {text}"
# Returns by which rule a text opts out on a channel, or None.
OptOutWords = Callable[[str, Channel], str | None]
_UNMATCHED_KINDS = (DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED)


class NotYet(Exception):
    """The event speaks of something that is not committed yet: try again later."""


def apply_event(
    connection: Connection,
    account: Account,
    event: events.InboundEvent,
    files: Sequence[StoredFile],
    received_at_utc_ms: int,
    now_utc_ms: int,
    opt_out_words: OptOutWords,
) -> None:
    """Record one event; raises NotYet when the message it speaks of is not known yet."""
    if isinstance(event, events.MessageIn | events.Unknown):
        _message(connection, account, event, files, received_at_utc_ms)
        if event.sender.address or event.chat:
            note_capture(connection, account.account_id, event.at_utc_ms, now_utc_ms)
            _consents(connection, account, event, received_at_utc_ms, opt_out_words)
    elif isinstance(event, events.MessageEcho):
        record_echo(connection, account, event, files, now_utc_ms)
    elif isinstance(event, events.Receipt):
        _receipt(connection, account, event, now_utc_ms)
    elif isinstance(event, events.Edited | events.Deleted | events.Reaction):
        _change(connection, account, event, received_at_utc_ms)
    elif isinstance(event, events.ReadMark):
        _read_mark(connection, account, event, now_utc_ms)
    elif isinstance(event, events.ConsentChange):
        _consent(connection, account, event, received_at_utc_ms)
    elif isinstance(event, events.IdentityChange):
        _identity(connection, account, event, received_at_utc_ms)
    elif isinstance(event, events.ChatNamed):
        name_group(connection, account, event, received_at_utc_ms)
    elif isinstance(event, events.ConnectionChange):
        _connection(connection, account, event, now_utc_ms)


def apply_unmatched(
    connection: Connection, account: Account, event: events.InboundEvent, now_utc_ms: int
) -> None:
    """Archive an event whose message never became known, so that nothing is lost."""
    append_act(
        connection,
        kind="unmatched",
        actor_id=account.account_id,
        told={"dedupe_key": event.dedupe_key, "event": type(event).__name__},
        occurred_at_utc_ms=event.at_utc_ms,
        firm_id=firm_of_account(connection, account.account_id),
        now_utc_ms=now_utc_ms,
    )


def apply_late(
    connection: Connection, account: Account, event: events.InboundEvent, now_utc_ms: int
) -> None:
    """Archive what speaks of a message that never came; new words are told in the conversation."""
    apply_unmatched(connection, account, event, now_utc_ms)
    if isinstance(event, events.Edited) and event.text and find_chat(connection, account, event):
        say(connection, account, event, _CHANGED.format(text=event.text), now_utc_ms)


def _message(
    connection: Connection,
    account: Account,
    event: events.MessageIn | events.Unknown,
    files: Sequence[StoredFile],
    received_at_utc_ms: int,
) -> None:
    if isinstance(event, events.Unknown) and not event.sender.address and not event.chat:
        apply_unmatched(connection, account, event, received_at_utc_ms)
        return
    if isinstance(event, events.MessageIn):
        text, kind, quote = event.text, event.kind, event.quote_external_id
    else:
        text, kind, quote = event.type_name, MessageKind.UNSUPPORTED, ""
    if not text and not files and getattr(event, "attachments", None):
        text, kind = FILE_GONE, MessageKind.UNSUPPORTED
    record_inbound(
        connection,
        account_id=account.account_id,
        external_message_id=event.external_id or event.dedupe_key,
        contact_point=chat_address(account, event),
        sender_name=chat_name(event),
        text=text,
        kind=kind,
        attachments=files,
        quote_external_id=quote or None,
        occurred_at_utc_ms=event.at_utc_ms or received_at_utc_ms,
        received_at_utc_ms=received_at_utc_ms,
        author_name=(event.sender.name or masked(event.sender.address)) if event.chat else "",
    )
    if not keep_together(connection, account, event.sender, received_at_utc_ms) and not event.chat:
        about = f"identity:{event.sender.also[1]}"
        say(connection, account, event, _PASSED_ON, received_at_utc_ms, about)
    if isinstance(event, events.MessageIn):
        if event.chat_name:
            name_group(connection, account, event, received_at_utc_ms)
        keep_refs(connection, account.account_id, event.external_id, event.refs)


def _receipt(
    connection: Connection, account: Account, event: events.Receipt, now_utc_ms: int
) -> None:
    found = record_receipt(
        connection,
        account_id=account.account_id,
        reported=event.state,
        at_utc_ms=event.at_utc_ms,
        now_utc_ms=now_utc_ms,
        external_id=event.external_id or None,
        opaque_key=event.opaque_key or None,
        detail=event.detail,
    )
    if found is None:
        raise NotYet


def _change(
    connection: Connection,
    account: Account,
    event: events.Edited | events.Deleted | events.Reaction,
    received_at_utc_ms: int,
) -> None:
    if not _may_change(connection, account, event):
        apply_unmatched(connection, account, event, received_at_utc_ms)
        return
    if isinstance(event, events.Edited):
        found = record_edit(
            connection,
            account_id=account.account_id,
            external_message_id=event.external_id,
            text=event.text,
            occurred_at_utc_ms=event.at_utc_ms,
            received_at_utc_ms=received_at_utc_ms,
        )
    elif isinstance(event, events.Deleted):
        found = record_delete(
            connection,
            account_id=account.account_id,
            external_message_id=event.external_id,
            occurred_at_utc_ms=event.at_utc_ms,
            received_at_utc_ms=received_at_utc_ms,
        )
    else:
        found = record_reaction(
            connection,
            account_id=account.account_id,
            external_message_id=event.external_id,
            actor_id=actor_of(connection, account, event),
            emoji=event.emoji,
            occurred_at_utc_ms=event.at_utc_ms,
            received_at_utc_ms=received_at_utc_ms,
        )
    if found is None:
        raise NotYet


def _may_change(
    connection: Connection,
    account: Account,
    event: events.Edited | events.Deleted | events.Reaction,
) -> bool:
    """Tell whether the message is the sender's to change; raises NotYet when it is not known.

    Clients change and delete their own messages, never ours, and reach into no chat but their
    own, under whichever of their addresses the channel names them. In a group the vendor vouches
    for its members, but for one whose events name their author: there only the author changes
    words. A native message of ours was changed where it was written.
    """
    message_id = find_by_external_id(connection, account.account_id, event.external_id)
    if message_id is None:
        raise NotYet
    row = connection.execute(
        select(
            messages.c.direction,
            messages.c.origin,
            contact_points.c.id_type,
            contact_points.c.contact_id,
        )
        .join(conversations, conversations.c.conversation_id == messages.c.conversation_id)
        .join(contact_points, contact_points.c.contact_point_id == conversations.c.thread_key)
        .where(messages.c.message_id == message_id)
    ).one_or_none()
    if row is None:
        return False
    native = row.origin != Origin.LIVE
    if isinstance(event, events.Edited):
        author = read_refs(connection, account.account_id, event.external_id).get(AUTHOR)
        if author not in (None, event.sender.address):
            return False
    own = isinstance(event, events.Reaction) or row.direction == Direction.IN or native
    if not own:
        return False
    return row.id_type == GROUP or bool(actor_of(connection, account, event) == row.contact_id)


def _identity(
    connection: Connection, account: Account, event: events.IdentityChange, at_utc_ms: int
) -> None:
    if not follow_group(connection, account, event) and event.sender.id_type != GROUP:
        say(connection, account, event, _IDENTITY, at_utc_ms)


def _read_mark(
    connection: Connection, account: Account, event: events.ReadMark, now_utc_ms: int
) -> None:
    conversation_id = find_chat(connection, account, event)
    columns = messages.c
    rows = connection.execute(
        select(columns.external_id).where(
            columns.conversation_id == conversation_id,
            columns.direction == Direction.OUT.value,
            columns.state.in_([state.value for state in _UNMATCHED_KINDS]),
            columns.place_at_utc_ms <= event.at_utc_ms,
            columns.external_id.is_not(None),
        )
    ).scalars()
    for external_id in rows.all():
        record_receipt(
            connection,
            account_id=account.account_id,
            reported=DeliveryState.READ,
            at_utc_ms=event.at_utc_ms,
            now_utc_ms=now_utc_ms,
            external_id=external_id,
        )


def _consent(
    connection: Connection,
    account: Account,
    event: events.ConsentChange,
    received_at_utc_ms: int,
) -> None:
    if (event.consent, event.status) == (ConsentKind.RECORDING, ConsentStatus.OPTED_OUT):
        _opt_out(connection, account, event, received_at_utc_ms, "channel", confirm=False)
        return
    point, _ = chat_of(connection, account, event, received_at_utc_ms)
    record_consent(
        connection,
        contact_id=point.contact_id,
        kind=event.consent,
        status=event.status,
        channel=account.channel,
        actor_id=point.contact_id,
        at_utc_ms=event.at_utc_ms,
        now_utc_ms=received_at_utc_ms,
        text_version=version_told(connection, point.contact_id, account.channel),
    )
    if (event.consent, event.status) == (ConsentKind.RECORDING, ConsentStatus.ACCEPTED):
        say(connection, account, event, _AGREED, received_at_utc_ms)


def _consents(
    connection: Connection,
    account: Account,
    event: events.MessageIn | events.Unknown,
    at_utc_ms: int,
    opt_out_words: OptOutWords,
) -> None:
    """Look for words that opt out or answer, then tell a client of recording who was not told.

    Words bind in a client's own chat alone: in a group they bind nobody.
    """
    _, conversation_id = chat_of(connection, account, event, at_utc_ms)
    if isinstance(event, events.MessageIn) and event.kind is MessageKind.TEXT and not event.chat:
        source = opt_out_words(event.text, account.channel)
        if source is not None:
            _opt_out(connection, account, event, at_utc_ms, source, confirm=True)
            return
        said_at = event.at_utc_ms or at_utc_ms
        answer = take_answer(connection, conversation_id, event.text, said_at, at_utc_ms)
        if answer in _ANSWERED:
            say(connection, account, event, _ANSWERED[answer], at_utc_ms)
    first_contact(connection, conversation_id, at_utc_ms)


def _opt_out(
    connection: Connection,
    account: Account,
    event: events.InboundEvent,
    at_utc_ms: int,
    source: str,
    *,
    confirm: bool,
) -> None:
    point, conversation_id = chat_of(connection, account, event, at_utc_ms)
    left = OptOut(
        contact_id=point.contact_id,
        conversation_id=conversation_id,
        channel=account.channel,
        source=source,
        at_utc_ms=event.at_utc_ms or at_utc_ms,
    )
    if opt_out(connection, left, at_utc_ms, confirm=confirm):
        say(connection, account, event, _OPTED_OUT, at_utc_ms)


def _connection(
    connection: Connection, account: Account, event: events.ConnectionChange, now_utc_ms: int
) -> None:
    if event.connected:
        resume_account(connection, account.account_id)
    else:
        pause_account(connection, account.account_id, event.detail, now_utc_ms, DISCONNECTED)
