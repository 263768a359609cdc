"""Owns the one CoreStatus that banners and the status bar read.

It never finds anything out by itself: each room tells it what it knows.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from msgspec import structs

from app.domain.clock import Clock
from app.domain.errors import AppError
from app.domain.listeners import Listeners
from app.domain.status import CoreStatus, Link
from contract.wire import Me

_LOG = logging.getLogger(__name__)


class StatusBoard:
    """Composes the status and tells subscribers of each change, on the loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._status = CoreStatus(since_utc_ms=clock.now_utc_ms())
        self._listeners = Listeners[CoreStatus]()

    @property
    def status(self) -> CoreStatus:
        """Return the newest status."""
        return self._status

    def subscribe(self, callback: Callable[[CoreStatus], None]) -> Callable[[], None]:
        """Call `callback` with each new status; return a function that ends this."""
        return self._listeners.add(callback)

    def link_changed(self, link: Link, fault: AppError | None = None) -> None:
        """Note the connection's state; a restart of the embedded backend outlasts `offline`."""
        now = self._status.link
        if link is Link.OFFLINE and now in {Link.RESTARTING, Link.REFUSED}:
            return
        if link is Link.ONLINE:
            self.drop_notice("notice.embedded_fails")
        if link is not now:
            _LOG.info("link %s (%s)", link.value, fault.code if fault is not None else "")
            self.update(link=link, since_utc_ms=self._clock.now_utc_ms())

    def add_notice(self, key: str, detail: str = "") -> None:
        """Add a sentence the person should read once; a second one of the key replaces it."""
        others = tuple(notice for notice in self._status.notices if notice[0] != key)
        self.update(notices=(*others, (key, detail)))

    def take_store_notices(self, notices: tuple[tuple[str, str], ...]) -> None:
        """Show what the store has to tell; a disk that is full no more is no longer spoken of."""
        if "notice.disk_full" not in dict(notices):
            self.drop_notice("notice.disk_full")
        for key, detail in notices:
            self.add_notice(key, detail)

    def drop_notice(self, key: str) -> None:
        """Remove a notice whose cause is gone."""
        kept = tuple(notice for notice in self._status.notices if notice[0] != key)
        self.update(notices=kept)

    def take_troubles(self, me: Me | None) -> None:
        """Note what is wrong with a person's channels; accounts are named where there are more."""
        if me is None:
            self.update(troubles=())
            return
        counted = Counter(account.channel for account in me.accounts)
        self.update(
            troubles=tuple(
                each if counted[each.channel] > 1 else structs.replace(each, label="")
                for each in me.troubles
            )
        )

    def facts_changed(self) -> None:
        """Note that what policy knows here changed."""
        self.update(facts_version=self._status.facts_version + 1)

    def archived_at(self, at_utc_ms: int) -> None:
        """Note the archiving time of a message; only the newest counts."""
        if at_utc_ms > self._status.last_archived_utc_ms:
            self.update(last_archived_utc_ms=at_utc_ms)

    def update(self, **changes: Any) -> None:
        """Set fields of the status and tell the subscribers when something differs."""
        status = replace(self._status, **changes)
        if status == self._status:
            return
        self._status = status
        self._listeners.tell(status)
