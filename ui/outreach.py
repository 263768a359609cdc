"""Wires the ways out beyond one composer: templates, and one text to several clients.

It never sends or decides anything itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.broadcast import BroadcastDesk
from app.template_desk import TemplateDesk
from contract.wire import Conversation
from ui.broadcast_actions import BroadcastActions
from ui.template_actions import TemplateActions

if TYPE_CHECKING:
    from ui.workspace import Workspace


class Outreach:
    """The two dialogs of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        core, window = workspace.core, workspace.window
        self._workspace = workspace
        desk = BroadcastDesk(
            core.store,
            core.messaging,
            workspace.clock,
            lambda: core.desk.engine,
            core.desk.book,
            lambda: core.desk.language,
        )
        self.several = BroadcastActions(
            core.store.inbox,
            desk,
            workspace.spawner,
            lambda: window,
            lambda: workspace.look.tokens,
        )
        self.templates = TemplateActions(
            TemplateDesk(core.api, core.store),
            core.messaging,
            core.desk.decide,
            self._language_of,
            workspace.spawner,
            lambda: window,
            lambda: workspace.look.tokens,
        )
        window.composer.choose_template_requested.connect(self._on_template)
        window.people.several_requested.connect(self.several.open)

    def _on_template(self) -> None:
        facts = self._workspace.conversation.facts
        if facts is not None:
            self.templates.open(facts.conversation)

    async def _language_of(self, conversation: Conversation) -> str:
        """Return the client's language; the employee's own where it is not known."""
        for contact_id in conversation.contact_ids:
            contact = await self._workspace.source.contact(contact_id)
            if contact is not None:
                return contact.language
        return self._workspace.core.desk.language
