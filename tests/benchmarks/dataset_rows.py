"""Makes the wire values of the benchmark's data set: contacts, conversations, their messages.

It never writes them anywhere, and the same seed makes the same values around the same time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from contract.ids import (
    AccountId,
    AttachmentId,
    ContactId,
    ContactPointId,
    ConversationId,
    MessageId,
    uuid7,
)
from contract.states import DeliveryState
from contract.wire import (
    ArchiveRef,
    Attachment,
    Channel,
    Contact,
    ContactPoint,
    Conversation,
    Direction,
    IdempotencyClass,
    Message,
    MessageKind,
    Mode,
    Preview,
    Quote,
    Reaction,
    SendCapability,
)
from tests.benchmarks.dataset_texts import Person, file_name, message_text, person

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HISTORY_MS = 3 * 365 * DAY_MS
EMPLOYEE_ID = "emp-em"
EMPLOYEE_NAME = "Elena Marchetti"
# The sample workspace's accounts, so that these conversations can be written in.
_ACCOUNTS = (
    (Channel.WHATSAPP, "acc-wa", "+41 44 •• 12", IdempotencyClass.CLIENT_ECHO),
    (Channel.WECHAT, "acc-wechat", "Aare Private Bank 服务号", IdempotencyClass.SERVER_KEY),
    (Channel.SIGNAL, "acc-signal", "+41 79 •• 40", IdempotencyClass.NONE),
    (Channel.TELEGRAM, "acc-telegram", "@AareDesk", IdempotencyClass.NONE),
    (Channel.LINE, "acc-line", "Aare Private Bank", IdempotencyClass.SERVER_KEY),
    (Channel.SMS, "acc-sms", "+41 79 •• 08", IdempotencyClass.NONE),
)
_ACCOUNT_SHARES = (40, 14, 14, 14, 8, 10)
_BIG_SHARE = 0.1
_SKEW = 0.7
_IN, _FILE, _QUOTE, _REACTION = 0.54, 0.02, 0.03, 0.03
_PREVIEW_CHARS = 120
_EMOJI = ("👍", "🙏", "👌", "🎉")


@dataclass(slots=True)
class Chat:
    """One conversation while its messages are made."""

    conversation_id: ConversationId
    number: int
    account: int
    people: list[tuple[ContactId, Person]]
    size: int
    last: Message | None = None
    made: int = 0
    languages: tuple[str, ...] = field(default=("en",))


class Bank:
    """Everybody the employee writes with; the first conversation is the big one."""

    def __init__(self, messages: int, conversations: int, now_utc_ms: int, seed: int) -> None:
        self.now_utc_ms = now_utc_ms
        self._chance = random.Random(seed)
        sizes = _sizes(messages, conversations, self._chance)
        self._people: list[tuple[ContactId, Person]] = []
        self.chats = [self._chat(number, size) for number, size in enumerate(sizes)]
        self._places = 0

    def contacts(self) -> list[Contact]:
        """Return all contacts."""
        return [_contact(number, *each) for number, each in enumerate(self._people)]

    def messages(self) -> Iterator[Message]:
        """Yield all messages in the order of time; each chat knows its last afterwards."""
        for at_utc_ms, number in self._times():
            yield self._message(self.chats[number], at_utc_ms)

    def conversations(self) -> list[Conversation]:
        """Return the conversations as they stand after the messages made so far."""
        return [self._conversation(chat) for chat in self.chats]

    def _chat(self, number: int, size: int) -> Chat:
        chance = self._chance
        if self._people and chance.random() < 0.2:
            people = [chance.choice(self._people)]  # the same client on another channel
        else:
            group = number > 0 and chance.random() < 0.04
            people = [self._new_person() for _ in range(chance.randint(3, 8) if group else 1)]
        account = 0 if number == 0 else chance.choices(range(len(_ACCOUNTS)), _ACCOUNT_SHARES)[0]
        home = ConversationId(f"bench-{number:05d}")
        languages = tuple(who.language for _, who in people)
        if number == 0:
            languages = ("en", *(("en",) * 7), "ja", "zh")
        return Chat(home, number, account, people, size, languages=languages)

    def _new_person(self) -> tuple[ContactId, Person]:
        made = (ContactId(f"bench-contact-{len(self._people):05d}"), person(self._chance))
        self._people.append(made)
        return made

    def _times(self) -> list[tuple[int, int]]:
        """Return when each message came and whose it is, oldest first."""
        chance, newest = self._chance, self.now_utc_ms
        times: list[tuple[int, int]] = []
        for chat in self.chats:
            # Most conversations rest: the last word of each lies anywhere in three years.
            ended = newest - int(HISTORY_MS * 0.9 * chance.random() ** 3) * (chat.number > 0)
            began = newest - HISTORY_MS
            span = max(DAY_MS, int((ended - began) * chance.uniform(0.3, 1.0)))
            span = HISTORY_MS if chat.number == 0 else span
            times.extend(
                (ended - int(span * chance.random()), chat.number) for _ in range(chat.size)
            )
        times.sort()
        return times

    def _message(self, chat: Chat, at_utc_ms: int) -> Message:
        chance = self._chance
        self._places += 1
        incoming = chance.random() < _IN
        author, who = chance.choice(chat.people)
        text = message_text(chance, chance.choice(chat.languages))
        drawn = chance.random()
        message_id = MessageId(uuid7(at_utc_ms, chance.randbytes(10)))
        message = Message(
            message_id=message_id,
            conversation_id=chat.conversation_id,
            version=3 if not incoming else 1,
            revision=0,
            direction=Direction.IN if incoming else Direction.OUT,
            kind=MessageKind.TEXT,
            text=text,
            author_id=author if incoming else EMPLOYEE_ID,
            author_name=who.name if incoming else EMPLOYEE_NAME,
            place_at_utc_ms=at_utc_ms,
            place_index=self._places,
            occurred_at_utc_ms=at_utc_ms,
            state=None if incoming else DeliveryState.READ,
            state_at_utc_ms=0 if incoming else at_utc_ms + 60_000,
            quote=_quote(chat.last) if drawn < _QUOTE else None,
            reactions=_reactions(chance) if _QUOTE < drawn < _QUOTE + _REACTION else (),
            attachments=_files(chance, message_id) if drawn > 1 - _FILE else (),
            archive=ArchiveRef(
                index=self._places,
                entry_id=uuid7(at_utc_ms, chance.randbytes(10)),
                entry_hash=chance.randbytes(32).hex(),
                archived_at_utc_ms=at_utc_ms + 40,
            ),
        )
        chat.last, chat.made = message, chat.made + 1
        return message

    def _conversation(self, chat: Chat) -> Conversation:
        chance = random.Random(chat.number)
        channel, account, label, idempotency = _ACCOUNTS[chat.account]
        last = chat.last
        heard = last is not None and last.direction is Direction.IN
        at_utc_ms = 0 if last is None else last.place_at_utc_ms
        unread = chance.randint(1, 9) if heard and chance.random() < 0.12 else 0
        closes = at_utc_ms + DAY_MS if channel in (Channel.WHATSAPP, Channel.WECHAT) else None
        is_open = closes is not None and closes > self.now_utc_ms
        lead = chat.people[0][1]
        group = len(chat.people) > 1
        return Conversation(
            conversation_id=chat.conversation_id,
            version=1 + chat.made,
            channel=channel,
            account_id=AccountId(account),
            title=f"{lead.organisation or lead.name} ({len(chat.people)})" if group else lead.name,
            mode=Mode.GOVERNED,
            group=group,
            contact_ids=tuple(contact_id for contact_id, _ in chat.people),
            color=chat.number % 10,
            initials=lead.initials,
            account_label=label,
            last_activity_utc_ms=at_utc_ms,
            preview=None if last is None else _preview(last),
            unread_count=unread,
            read_upto_utc_ms=at_utc_ms - 1 if unread else at_utc_ms,
            awaiting=heard and (unread > 0 or chance.random() < 0.1),
            # Some that would be shut stand open for hours yet, so that the filter has rows.
            window_closes_at_utc_ms=(
                closes
                if is_open or chat.number % 40
                else self.now_utc_ms + chance.randint(1, 300) * HOUR_MS
            )
            if closes is not None
            else None,
            message_count=chat.made,
            archived_count=chat.made,
            send=SendCapability(
                text_max_chars=4096,
                attachments=True,
                replies=True,
                typing=True,
                receipts_delivered=True,
                receipts_read=True,
                idempotency=idempotency,
            ),
        )


def _sizes(messages: int, conversations: int, chance: random.Random) -> list[int]:
    """Return how many messages each conversation has: one with a tenth of all, then ever fewer."""
    big = int(messages * _BIG_SHARE)
    rest, others = messages - big, conversations - 1
    weights = [1 / rank**_SKEW for rank in range(1, others + 1)]
    whole = sum(weights)
    sizes = [max(1, int(rest * each / whole)) for each in weights]
    sizes[0] += rest - sum(sizes)
    chance.shuffle(sizes)
    return [big, *sizes]


def _contact(number: int, contact_id: ContactId, who: Person) -> Contact:
    return Contact(
        contact_id=contact_id,
        version=1,
        display_name=who.name,
        initials=who.initials,
        organisation=who.organisation,
        city=who.city,
        language=who.language,
        color=number % 10,
        points=(
            ContactPoint(
                contact_point_id=ContactPointId(f"bench-point-{number:05d}"),
                channel=Channel.WHATSAPP,
                mode=Mode.GOVERNED,
                label=f"+41 79 •• {number % 1000:03d}",
            ),
        ),
    )


def _preview(last: Message) -> Preview:
    return Preview(
        message_id=last.message_id,
        direction=last.direction,
        text=last.text[:_PREVIEW_CHARS],
        at_utc_ms=last.place_at_utc_ms,
        author_name=last.author_name,
    )


def _quote(last: Message | None) -> Quote | None:
    if last is None:
        return None
    return Quote(
        message_id=last.message_id, author_name=last.author_name, text=last.text[:_PREVIEW_CHARS]
    )


def _reactions(chance: random.Random) -> tuple[Reaction, ...]:
    return (Reaction(emoji=chance.choice(_EMOJI), count=1),)


def _files(chance: random.Random, message_id: MessageId) -> tuple[Attachment, ...]:
    name = file_name(chance)
    return (
        Attachment(
            attachment_id=AttachmentId(f"file-{message_id}"),
            name=name,
            media_type="image/jpeg" if name.endswith("jpg") else "application/pdf",
            size_bytes=chance.randint(20_000, 4_000_000),
            sha256=sha256(name.encode()).hexdigest(),
            scan="clean",
        ),
    )
