"""Owns what decisions on the conversation on screen rest on, made anew only where it changed.

It never evaluates, and what it returns is what facts.py makes of the same values.
"""

from __future__ import annotations

from collections.abc import Sequence

from contract.policy.book import BookFacts
from contract.policy.facts import conversation_draft, conversation_facts, utc_offset_min
from contract.policy.model import AccountFacts, Attachment, Draft, Facts
from contract.wire import Contact, Conversation

_NO_ACCOUNTS = AccountFacts()
_NO_BOOK = BookFacts()


class ConversationGround:
    """The facts and the drafts of one conversation after another, for one thread.

    Equal parts of facts are the same objects from one keystroke to the next, so that whoever
    keeps something of them need not compare their contents.
    """

    def __init__(self) -> None:
        self._talk: Conversation | None = None
        self._contacts: tuple[Contact, ...] = ()
        self._zones: tuple[str, ...] = ()
        self._offsets: tuple[int | None, ...] = ()
        self._facts: Facts | None = None
        self._draft: Draft | None = None

    def facts(
        self,
        conversation: Conversation,
        contacts: Sequence[Contact],
        now_utc_ms: int,
        accounts: AccountFacts | None = None,
        book: BookFacts | None = None,
    ) -> Facts:
        """Return what `conversation_facts` returns for the same values."""
        self._keep(conversation, tuple(contacts))
        offsets = tuple([utc_offset_min(zone, now_utc_ms) for zone in self._zones])
        kept = self._facts
        if kept is None or offsets != self._offsets:
            kept = self._facts = conversation_facts(conversation, contacts, now_utc_ms)
            self._offsets = offsets
        return Facts(
            now_utc_ms=now_utc_ms,
            version=kept.version,
            contact_points=kept.contact_points,
            walls=kept.walls,
            accounts=accounts or _NO_ACCOUNTS,
            book=book or _NO_BOOK,
            reach=kept.reach,
            gifts=kept.gifts,
        )

    def draft(
        self,
        conversation: Conversation,
        contacts: Sequence[Contact],
        text: str,
        attachments: Sequence[Attachment] = (),
        language: str = "en",
        *,
        template_id: str = "",
        quoted_text: str = "",
    ) -> Draft:
        """Return what `conversation_draft` returns for the same values."""
        self._keep(conversation, tuple(contacts))
        kept = self._draft
        if kept is None:
            kept = self._draft = conversation_draft(conversation, contacts, "")
        return Draft(
            text=text,
            conversation_id=kept.conversation_id,
            channel=kept.channel,
            recipients=kept.recipients,
            attachments=tuple(attachments),
            template_id=template_id,
            language=language,
            quoted_text=quoted_text,
        )

    def _keep(self, conversation: Conversation, contacts: tuple[Contact, ...]) -> None:
        """Forget what was made for another conversation, or for people as they were."""
        if conversation is self._talk and contacts == self._contacts:
            return
        self._talk, self._contacts = conversation, contacts
        self._zones = tuple(one.time_zone for one in contacts if one.time_zone)
        self._facts = self._draft = None
