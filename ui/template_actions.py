"""Carries out the choice of a template: lists them, has the filled text checked, sends it.

It never touches the conversation's draft, and it sends nothing that policy blocks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from PySide6.QtWidgets import QWidget

from app.domain.drafts import CheckedDraft
from app.domain.errors import AppError
from contract.ids import ConversationId, MessageId
from contract.policy.model import Action, Decision
from contract.supervision import Template
from contract.wire import Channel, Conversation
from ui.bridge.dialogs import ask
from ui.bridge.spawn import Spawner
from ui.models.sendability import CHANNEL_NAMES
from ui.models.sentences import sentence_of
from ui.models.template_choice import TemplateChoice
from ui.theme.tokens import Tokens
from ui.views.dialogs.template_dialog import TemplateDialog

_FRESH = "These words are approved by the channel; only the places change."
_KEPT = "There is no connection: these are the templates known last."

Decide = Callable[[CheckedDraft], Decision | None]


class Templates(Protocol):
    """What the dialog asks of the core's templates."""

    async def refresh(self) -> bool:
        """Ask for the templates anew."""

    def of_channel(self, channel: Channel, language: str) -> tuple[Template, ...]:
        """Return those of a channel."""


class TemplateMessaging(Protocol):
    """How a filled template is sent."""

    async def send(
        self,
        conversation_id: ConversationId,
        text: str,
        *,
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        template_id: str = "",
        keeps_draft: bool = False,
    ) -> MessageId:
        """Write the outbox row."""


class TemplateActions:
    """One dialog at a time; `dialog` is it while it is open."""

    def __init__(
        self,
        templates: Templates,
        messaging: TemplateMessaging,
        decide: Decide,
        language: Callable[[Conversation], Awaitable[str]],
        spawner: Spawner,
        window: Callable[[], QWidget],
        tokens: Callable[[], Tokens],
    ) -> None:
        """`language` gives the client's language, whose templates come first."""
        self.dialog: TemplateDialog | None = None
        self._templates = templates
        self._messaging = messaging
        self._decide = decide
        self._language = language
        self._spawner = spawner
        self._window = window
        self._tokens = tokens
        self._warned: tuple[str, ...] = ()
        self._begun: dict[ConversationId, TemplateChoice] = {}

    def open(self, conversation: Conversation) -> None:
        """Let the person choose, fill and send a template in this conversation."""
        if self.dialog is None:
            self._spawner.spawn(self._run(conversation), "choose a template")

    async def _run(self, conversation: Conversation) -> None:
        fresh = await self._templates.refresh()
        language = await self._language(conversation)
        found = self._templates.of_channel(conversation.channel, language)
        name = CHANNEL_NAMES[conversation.channel]
        note = _FRESH if fresh else _KEPT
        choice = self._choice(conversation.conversation_id, found)
        dialog = TemplateDialog(choice, name, note, self._tokens(), self._window())
        self.dialog, self._warned = dialog, ()
        dialog.send_requested.connect(
            lambda text, reason: self._spawner.spawn(
                self._send(dialog, conversation.conversation_id, text, reason), "send template"
            )
        )
        try:
            if await ask(dialog):
                self._begun.pop(conversation.conversation_id, None)
        finally:
            self.dialog = None
            dialog.deleteLater()

    def _choice(self, home: ConversationId, found: Sequence[Template]) -> TemplateChoice:
        """Return what was begun in this conversation and closed, over the newest templates."""
        before = self._begun.get(home, TemplateChoice(()))
        chosen_id = before.chosen.template_id if before.chosen is not None else ""
        chosen = next((one for one in found if one.template_id == chosen_id), None)
        choice = self._begun[home] = TemplateChoice(found, chosen=chosen, typed=before.typed)
        return choice

    async def _send(
        self, dialog: TemplateDialog, to: ConversationId, text: str, reason: str
    ) -> None:
        template = dialog.choice.chosen
        if template is None or not text:
            return
        decision = self._decide(CheckedDraft(to, text, template_id=template.template_id))
        warned = _warned(decision)
        if decision is not None and not self._answered(decision, warned, reason):
            _show(dialog, decision)
            self._warned = warned
            return
        dialog.use.setEnabled(False)  # one press, one message
        try:
            await self._messaging.send(
                to,
                text,
                justification=reason,
                acknowledged=warned,
                template_id=template.template_id,
                keeps_draft=True,
            )
        except AppError as fault:
            dialog.show_error(sentence_of(fault))
            dialog.use.setEnabled(True)
            return
        dialog.accept()

    def _answered(self, decision: Decision, warned: Sequence[str], reason: str) -> bool:
        if decision.action is Action.BLOCK or not set(warned) <= set(self._warned):
            return False
        return decision.action is not Action.JUSTIFY or bool(reason)


def _warned(decision: Decision | None) -> tuple[str, ...]:
    findings = decision.findings if decision is not None else ()
    return tuple(sorted({one.rule_id for one in findings if one.action is Action.WARN}))


def _show(dialog: TemplateDialog, decision: Decision) -> None:
    worst = decision.findings[0]
    buttons = {Action.BLOCK: "Send template", Action.APPROVE: "Ask for approval"}
    words = " ".join(filter(None, (f"{worst.message}.", worst.detail)))
    dialog.show_finding(
        words,
        buttons.get(decision.action, "Send anyway"),
        needs_reason=decision.action is Action.JUSTIFY,
    )
