"""Owns one text to several clients as separate chats: what holds for each, and the sending.

It never puts two clients into one chat, and sends to nobody whose line said no.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from app.book_desk import BookDesk
from app.domain.clock import Clock
from app.domain.drafts import Draft
from app.outbox.messaging import Messaging
from app.store.store import Store
from contract.ids import ConversationId, MessageId
from contract.policy.model import Action, Decision
from contract.wire import (
    MAX_TEXT_CHARS,
    Channel,
    ConsentKind,
    ConsentStatus,
    Contact,
    Conversation,
    Mode,
)

if TYPE_CHECKING:
    from app.hints.engine import HintEngine
    from contract.policy.matrix import Reach

MOST_PEOPLE = 200
# Its draft stands beside those of the conversations; no backend makes such an id.
_DRAFT_ID = ConversationId("~several")

_NO_CONSENT = "no_consent"  # the value of contract.policy's Reach, which is not imported early


@dataclass(frozen=True, slots=True)
class BroadcastLine:
    """One person's line of the matrix.

    `reach` tells how the person can be written to at all, `decision` what the rules say of this
    very text to them and `report` what of it travels; `several` counts the people asked for.
    `readonly` chats are native ones; `excess_chars` counts what the channel's length leaves no
    room for.
    """

    conversation_id: ConversationId
    name: str
    channel: Channel
    reach: Reach
    decision: Decision
    several: int
    report: bytes
    readonly: bool = False
    excess_chars: int = 0

    @property
    def sendable(self) -> bool:
        """Tell whether this text may be submitted to this person, maybe with an answer."""
        return self.sendable_but_for_length and not self.excess_chars

    @property
    def sendable_but_for_length(self) -> bool:
        """Tell whether a shorter text with the same findings might be submitted."""
        consented = self.reach.value != _NO_CONSENT
        return not self.readonly and consented and self.decision.action is not Action.BLOCK

    @property
    def held(self) -> bool:
        """Tell whether a supervisor has to let it go first."""
        return self.decision.action is Action.APPROVE


@dataclass(frozen=True, slots=True)
class Answers:
    """What the sender answered for all: a reason, and the warnings seen."""

    justification: str = ""
    acknowledged: tuple[str, ...] = ()


class BroadcastDesk:
    """Decides for each conversation alone and sends one message in each."""

    def __init__(
        self,
        store: Store,
        messaging: Messaging,
        clock: Clock,
        engine: Callable[[], HintEngine | None],
        book: BookDesk | None,
        language: Callable[[], str],
    ) -> None:
        self._store = store
        self._messaging = messaging
        self._clock = clock
        self._engine = engine
        self._book = book
        self._language = language

    async def check(
        self, conversation_ids: Sequence[ConversationId], text: str
    ) -> tuple[BroadcastLine, ...]:
        """Return a line for each conversation of one client, in the order asked.

        Groups and conversations that are gone have none. Empty while no policy has arrived.
        """
        engine = self._engine()
        if engine is None:
            return ()
        talks = [await self._store.inbox.conversation(one) for one in conversation_ids]
        chosen = [talk for talk in talks if talk is not None and not talk.group]
        lines: list[BroadcastLine] = []
        for talk in chosen[:MOST_PEOPLE]:
            contacts = [await self._store.contacts.get(one) for one in talk.contact_ids]
            known = [contact for contact in contacts if contact is not None]
            if known:
                lines.append(self._line(engine, talk, known, text, len(chosen)))
        return tuple(lines)

    async def send(
        self,
        lines: Sequence[BroadcastLine],
        text: str,
        answers: Answers,
        sent: dict[ConversationId, MessageId],
    ) -> None:
        """Submit the text once for each line that may go, in order, and note each in `sent`.

        Raises what Messaging.send raises; called again with the same `sent`, it goes on where it
        stopped. The drafts of the conversations stay as they are.
        """
        for line in lines:
            if line.sendable and line.conversation_id not in sent:
                sent[line.conversation_id] = await self._messaging.send(
                    line.conversation_id,
                    text,
                    justification=answers.justification,
                    acknowledged=answers.acknowledged,
                    several=line.several,
                    hint=line.report,
                    keeps_draft=True,
                )

    async def kept_text(self) -> str:
        """Return the text that was begun and not sent, "" without one."""
        draft = await self._store.drafts.get(_DRAFT_ID)
        return draft.text if draft is not None else ""

    async def keep_text(self, text: str) -> None:
        """Keep a text over restarts, in place of the former one; "" ends it."""
        now = self._clock.now_utc_ms()
        await self._store.drafts.save(Draft(_DRAFT_ID, text, saved_at_utc_ms=now))

    def _line(
        self,
        engine: HintEngine,
        talk: Conversation,
        contacts: Sequence[Contact],
        text: str,
        several: int,
    ) -> BroadcastLine:
        from app.hints.engine import report_of
        from contract.policy.facts import conversation_draft, conversation_facts

        book = self._book
        facts = conversation_facts(
            talk,
            contacts,
            self._clock.now_utc_ms(),
            book.accounts_in(talk.conversation_id) if book else None,
            book.names if book else None,
        )
        draft = conversation_draft(talk, contacts, text, (), self._language(), several=several)
        draft = msgspec.structs.replace(draft, recipients=draft.recipients[:1])
        (verdict,) = engine.check_each(facts, draft)
        return BroadcastLine(
            conversation_id=talk.conversation_id,
            name=contacts[0].display_name,
            channel=talk.channel,
            reach=_reach(verdict.reach, talk, contacts),
            decision=verdict.decision,
            several=several,
            report=msgspec.json.encode(report_of(verdict.decision)),
            readonly=talk.mode is Mode.NATIVE or talk.send is None,
            excess_chars=_excess_chars(talk, text),
        )


def _reach(found: Reach, talk: Conversation, contacts: Sequence[Contact]) -> Reach:
    """Return no consent where the account asks first and the client has not accepted yet."""
    from contract.policy.facts import consent_of
    from contract.policy.matrix import Reach

    accepted = all(
        consent_of(person.consents, ConsentKind.RECORDING, talk.channel) is ConsentStatus.ACCEPTED
        for person in contacts
    )
    if not talk.consent_first or accepted or found in (Reach.OPTED_OUT, Reach.NOT_ALLOWED):
        return found
    return Reach.NO_CONSENT


def _excess_chars(talk: Conversation, text: str) -> int:
    limit = talk.send.text_max_chars if talk.send is not None else 0
    return max(0, len(text) - min(limit or MAX_TEXT_CHARS, MAX_TEXT_CHARS))
