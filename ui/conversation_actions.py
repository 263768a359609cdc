"""Carries out what the user asks of the open conversation: reply, attach, move, find.

It never keeps a conversation open or closed by itself: the workspace does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from app.domain.links import link_to_conversation
from contract.ids import ConversationId, MessageId
from contract.wire import Contact
from ui.bridge.dialogs import ask_for_file
from ui.message_actions import MessageActions
from ui.models.conversation_facts import ConversationFacts
from ui.receipt_actions import ReceiptActions
from ui.views.timeline_acts import CHANGE

if TYPE_CHECKING:
    from ui.workspace import Workspace


class ConversationActions:
    """Slots for the conversation's panes; `receipts` and `messages` act on single messages."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        window, spawner = workspace.window, workspace.spawner
        self.receipts = ReceiptActions(
            workspace.core.proofs.receipts.check,
            workspace.clock,
            spawner,
            lambda: window,
            lambda: workspace.look.tokens,
        )
        self.messages = MessageActions(
            workspace.core.messaging,
            workspace.timeline,
            workspace.composer,
            workspace.conversation,
            spawner,
            lambda: window,
            self.receipts,
        )
        self._connect_messages()
        self._connect_find()
        window.header.copy_link_requested.connect(self._on_copy_link)
        window.composer.attach_requested.connect(self._on_attach)
        window.composer.move_requested.connect(self._on_move)
        window.people.contact_chosen.connect(self._on_contact_chosen)

    def _connect_messages(self) -> None:
        view, messages = self._workspace.window.timeline, self.messages
        view.undo_requested.connect(messages.on_undo)
        view.cancel_requested.connect(messages.on_cancel)
        view.edit_requested.connect(messages.on_edit)
        view.resolve_requested.connect(messages.on_resolve)
        view.receipt_requested.connect(messages.on_receipt)
        view.reply_requested.connect(self._on_reply)
        view.file_save_requested.connect(messages.on_file_save)
        view.ask_requested.connect(self._on_ask)
        view.link_requested.connect(messages.on_link)
        view.change_requested.connect(self._on_change)
        self._workspace.conversation.facts_changed.connect(self._on_facts)
        self._on_facts(self._workspace.conversation.facts)

    def _connect_find(self) -> None:
        window, find = self._workspace.window, self._workspace.find
        timeline = self._workspace.timeline
        window.header.find_requested.connect(window.find_bar.open_bar)
        window.find_bar.asked.connect(find.set_text)
        window.find_bar.step_requested.connect(find.step)
        find.place_changed.connect(window.find_bar.show_place)
        find.hit_chosen.connect(lambda hit: timeline.jump_to(MessageId(hit)))

    async def _open_contact(self, contact: Contact) -> None:
        found = await self._workspace.source.conversation_of(contact)
        if found is not None:
            self._workspace.open_conversation(found)
        else:
            words = f"There is no conversation with {contact.display_name} yet."
            self._workspace.window.people.show_notice(words)

    async def _attach(self) -> None:
        chosen = await ask_for_file(self._workspace.window, "Attach a file")
        if chosen:
            self._workspace.composer.uploads.add(Path(chosen))

    def _on_reply(self, message_id: str) -> None:
        self.messages.on_reply(message_id)
        self._workspace.window.composer.edit.setFocus()

    def _on_facts(self, facts: ConversationFacts | None) -> None:
        send = None if facts is None else facts.conversation.send
        self._workspace.timeline.model.set_send(send)

    def _on_change(self, act: str, message_id: str, value: str) -> None:
        self.messages.on_change(act, message_id, value)
        if act == CHANGE:
            self._workspace.window.composer.edit.setFocus()

    def _on_ask(self, message_id: str, question: str) -> None:
        self._on_reply(message_id)
        self._workspace.composer.propose(question)

    def _on_copy_link(self) -> None:
        shown = self._workspace.conversation.conversation_id
        if shown is not None:
            QGuiApplication.clipboard().setText(link_to_conversation(shown))

    def _on_contact_chosen(self, contact: Contact) -> None:
        self._workspace.spawner.spawn(self._open_contact(contact), "open contact")

    def _on_move(self, conversation_id: str) -> None:
        now_utc_ms = self._workspace.clock.now_utc_ms()
        self._workspace.conversation.move_draft(ConversationId(conversation_id), now_utc_ms)

    def _on_attach(self) -> None:
        self._workspace.spawner.spawn(self._attach(), "attach")
