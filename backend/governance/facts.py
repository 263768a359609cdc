"""Owns the facts and the draft on which the backend decides: today's, from its own database.

It never evaluates, and it never takes a fact from the client.

What is large (the book's names, the firm's account hashes) is kept with the connection until the
database says that it changed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from backend.directory.client_accounts import account_keys, accounts_version, firm_hashes
from backend.directory.denials import denied_contacts, denied_words
from backend.directory.gifts import gifts_of_year
from backend.directory.people import read_contacts
from backend.governance.reach import reached
from backend.storage.bulk import Prepared
from backend.storage.tables import (
    contacts,
    conversation_contacts,
    conversation_members,
    conversations,
    employee_contacts,
    messages,
)
from contract.policy.book import BookFacts
from contract.policy.facts import conversation_draft, conversation_facts
from contract.policy.model import (
    AccountFacts,
    Attachment,
    Draft,
    Facts,
    GiftFacts,
    ReachFacts,
    WallFacts,
)
from contract.policy.own_book import BookChat, BookPerson, account_facts, book_facts
from contract.wire import Contact, Conversation, Me

_KEPT = "policy_facts"
_KEPT_AT_MOST = 64
T = TypeVar("T")
_BOOK_STATE = Prepared(
    select(func.count(), func.sum(contacts.c.version))
    .select_from(contacts)
    .join(employee_contacts, employee_contacts.c.contact_id == contacts.c.contact_id)
    .where(employee_contacts.c.employee_id == bindparam("me")),
    "me",
)
_home = conversation_contacts.c.conversation_id
_CHATS_STATE = Prepared(
    select(func.count(), func.min(_home), func.max(_home))
    .join(conversation_members, conversation_members.c.conversation_id == _home)
    .where(conversation_members.c.employee_id == bindparam("me")),
    "me",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is about to be said, and with what: the part of a draft that its sender chose.

    `mentions` and `forwarded_from` are contact ids, `on_behalf_of` is the employee a delegate
    writes for, `several` is to how many people the text goes as separate chats.
    """

    text: str
    files: Sequence[Attachment] = ()
    quote_message_id: str | None = None
    template_id: str = ""
    mentions: tuple[str, ...] = ()
    forwarded_from: tuple[str, ...] = ()
    on_behalf_of: str = ""
    several: int = 0


class Ground(NamedTuple):
    """What a decision rests on."""

    facts: Facts
    draft: Draft


def ground_of(
    connection: Connection,
    me: Me,
    conversation: Conversation,
    content: Content,
    now_utc_ms: int,
) -> Ground:
    """Return facts and draft of a text in a conversation at a time, which may lie ahead.

    With a fire time as `now_utc_ms` windows, quiet hours and the 30 days count from then.
    """
    people = read_contacts(connection, me.employee_id, conversation.contact_ids)
    draft = conversation_draft(
        conversation,
        people,
        content.text,
        content.files,
        me.language,
        template_id=content.template_id,
        quoted_text=_quoted(connection, content.quote_message_id),
        several=content.several,
    )
    draft = msgspec.structs.replace(
        draft,
        mentions=content.mentions,
        forwarded_from=content.forwarded_from,
        on_behalf_of=content.on_behalf_of,
    )
    facts = conversation_facts(
        conversation,
        people,
        now_utc_ms,
        _accounts(connection, me, conversation.conversation_id),
        _book(connection, me.employee_id),
    )
    return Ground(_with_ours(connection, me, facts, draft, people), draft)


def _with_ours(
    connection: Connection, me: Me, facts: Facts, draft: Draft, people: Sequence[Contact]
) -> Facts:
    """Add what only the backend knows."""
    ids = [contact.contact_id for contact in people]
    retail = any(contact.retail for contact in people)
    files = [file.sha256 for file in draft.attachments]
    return msgspec.structs.replace(
        facts,
        walls=_walls(connection, facts.walls, draft, ids),
        reach=ReachFacts(
            contact_ids=reached(connection, me.firm_id, draft.text, files, people, facts.now_utc_ms)
            if retail
            else frozenset()
        ),
        gifts=GiftFacts(given=gifts_of_year(connection, ids, facts.now_utc_ms)),
    )


def _walls(
    connection: Connection, walls: WallFacts, draft: Draft, recipients: Sequence[str]
) -> WallFacts:
    sources = (*draft.mentions, *draft.forwarded_from)
    if len(recipients) > 1:  # in a group words go from each member to the others
        sources += tuple(recipients)
    behalf = frozenset[str]()
    if draft.on_behalf_of:
        behalf = denied_contacts(connection, draft.on_behalf_of, recipients)
    pairs = denied_words(connection, sources, recipients)
    if not pairs and not behalf:
        return walls
    return msgspec.structs.replace(walls, denied_pairs=pairs, denied_on_behalf=behalf)


def _quoted(connection: Connection, message_id: str | None) -> str:
    if message_id is None:
        return ""
    query = select(messages.c.text).where(messages.c.message_id == message_id)
    return connection.execute(query).scalar() or ""


def _accounts(connection: Connection, me: Me, conversation_id: str) -> AccountFacts:
    """Return the account hashes as seen from one conversation.

    The firm's are all of them: whoever reads them asks for the book's first.
    """
    version = accounts_version(connection, me.firm_id)
    if not version:
        return AccountFacts()
    state = (version, *_chats_state(connection, me.employee_id))

    def build() -> AccountFacts:
        keys = account_keys(connection, me.employee_id, me.firm_id)
        return msgspec.structs.replace(
            account_facts(keys, conversation_id), firm_hashes=firm_hashes(connection, me.firm_id)
        )

    return _kept(connection, f"accounts.{me.employee_id}.{conversation_id}", state, build)


def _book(connection: Connection, employee_id: str) -> BookFacts:
    return _kept(
        connection,
        f"book.{employee_id}",
        (*_BOOK_STATE.rows(connection, employee_id)[0], *_chats_state(connection, employee_id)),
        lambda: book_facts(_people(connection, employee_id), _chats(connection, employee_id)),
    )


def _people(connection: Connection, employee_id: str) -> list[BookPerson]:
    columns, book = contacts.c, employee_contacts.c
    rows = connection.execute(
        select(columns.contact_id, columns.display_name, columns.organisation)
        .join(employee_contacts, book.contact_id == columns.contact_id)
        .where(book.employee_id == employee_id)
    )
    return [BookPerson(*row) for row in rows]


def _chats(connection: Connection, employee_id: str) -> list[BookChat]:
    people, members = conversation_contacts.c, conversation_members.c
    rows = connection.execute(
        select(people.contact_id, people.conversation_id)
        .join(conversation_members, members.conversation_id == people.conversation_id)
        .join(conversations, conversations.c.conversation_id == people.conversation_id)
        .where(members.employee_id == employee_id, conversations.c.is_group.is_(False))
        .distinct()
    )
    return [BookChat(*row) for row in rows]


def _chats_state(connection: Connection, employee_id: str) -> tuple[object, ...]:
    """Return what changes whenever the employee's conversations or their people do."""
    return tuple(_CHATS_STATE.rows(connection, employee_id)[0])


def _kept(
    connection: Connection, name: str, state: tuple[object, ...], build: Callable[[], T]
) -> T:
    """Return a value as it was built in this state; the least used ones are forgotten."""
    kept: OrderedDict[str, tuple[tuple[object, ...], Any]] = connection.info.setdefault(
        _KEPT, OrderedDict()
    )
    known = kept.pop(name, None)
    value: T = known[1] if known is not None and known[0] == state else build()
    kept[name] = (state, value)
    if len(kept) > _KEPT_AT_MOST:
        kept.popitem(last=False)
    return value
