"""Composes the client's rooms into one running core: store, hints, sync, outbox, backend.

It holds no rule of its own and never blocks the loop it runs on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.status import CoreStatus
from contract.ids import ConversationId
from contract.policy.model import Decision
from contract.wire import CapabilitiesDocument, Me

if TYPE_CHECKING:
    from app.hints.engine import HintEngine
    from app.outbox.messaging import Messaging
    from app.settings.paths import AppPaths
    from app.settings.settings import Settings
    from app.store.store import Store
    from backend_client.endpoint import BackendEndpoint

Unsubscribe = Callable[[], None]


class Core:
    """The client without a window: open the store, connect, send and receive, close."""

    store: Store
    messaging: Messaging
    settings: Settings
    hints: HintEngine | None
    me: Me | None
    capabilities: CapabilitiesDocument | None

    def __init__(
        self,
        settings: Settings,
        paths: AppPaths,
        clock: Clock,
        *,
        endpoint: BackendEndpoint | None = None,
        passphrase: str | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def status(self) -> CoreStatus:
        """Return how the client stands towards its backend just now."""
        raise NotImplementedError

    async def open(self) -> None:
        """Take the data folder's lock and open the store; the inbox can be read right after.

        Raises StoreBusy, KeyringMissing, KeyringLocked, UnknownVersion, DiskFull. A passphrase
        given to the constructor takes the keyring's place.
        """
        raise NotImplementedError

    async def connect(self) -> None:
        """Start the backend's link, sync and outbox; return once their tasks run."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop intake, settle the store, stop the embedded backend; may be called twice."""
        raise NotImplementedError

    def subscribe_status(self, callback: Callable[[CoreStatus], None]) -> Unsubscribe:
        """Call `callback` on the loop thread with each new status; return how to stop that."""
        raise NotImplementedError

    def subscribe_changes(self, callback: Callable[[ChangeSet], None]) -> Unsubscribe:
        """Call `callback` on the loop thread after each commit; return how to stop that."""
        raise NotImplementedError

    def subscribe_typing(self, callback: Callable[[ConversationId, bool], None]) -> Unsubscribe:
        """Call `callback` when a client starts or stops typing; return how to stop that."""
        raise NotImplementedError

    async def open_conversation(self, conversation_id: ConversationId | None) -> None:
        """Tell which conversation is on screen, so that its facts stand ready for hints."""
        raise NotImplementedError

    def check_draft(self, conversation_id: ConversationId, text: str) -> Decision | None:
        """Return the policy decision on a draft of the open conversation (about 0.1–2 ms).

        None while no bundle has arrived or the conversation's facts are not read yet.
        """
        raise NotImplementedError
