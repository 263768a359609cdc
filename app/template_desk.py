"""Owns the firm's approved templates: kept here for times without a line, and their filling.

It never sends one, and it never alters the words the channel approved.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import msgspec

from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.supervision import Template, TemplateList
from contract.wire import Channel

META_TEMPLATES = "templates"
LONGEST_VALUE_CHARS = 1_000

_LOG = logging.getLogger(__name__)
_PLACE = re.compile(r"\{\{(\d+)\}\}")
_BREAKS = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")


class TemplateDesk:
    """The templates known; asked for anew each time the picker opens."""

    def __init__(self, api: GovernedApi, store: Store) -> None:
        self._api = api
        self._store = store
        self._known: tuple[Template, ...] = ()

    async def refresh(self) -> bool:
        """Ask the backend for the templates; without an answer those kept here stay.

        Returns False when they come from what was kept.
        """
        try:
            found = await self._api.supervision.templates()
        except ClientError as fault:
            _LOG.info("templates not refreshed: %s", type(fault).__name__)
            await self._load()
            return False
        self._known = found
        document = msgspec.json.encode(TemplateList(templates=found))
        await self._store.cache.put_meta(META_TEMPLATES, document)
        return True

    def of_channel(self, channel: Channel, language: str) -> tuple[Template, ...]:
        """Return the templates of a channel, those in the client's language first."""
        primary = language.partition("-")[0]
        return tuple(
            sorted(
                (one for one in self._known if one.channel is channel),
                key=lambda one: (one.language.partition("-")[0] != primary, one.name.casefold()),
            )
        )

    async def _load(self) -> None:
        kept = await self._store.cache.get_meta(META_TEMPLATES)
        if kept is None:
            return
        try:
            self._known = msgspec.json.decode(kept, type=TemplateList).templates
        except msgspec.DecodeError:
            _LOG.warning("the templates kept here can't be read")


def fill_template(template: Template, values: Sequence[str]) -> str:
    """Return a template's text with `values` in its places {{1}}, {{2}}, …

    A line break in a value becomes a space, as channels ask. Raises ValueError when a value is
    missing, empty or longer than LONGEST_VALUE_CHARS.
    """
    if len(values) != template.parameters:
        raise ValueError("a template needs a value for each of its places")
    tidy = [_BREAKS.sub(" ", value).strip() for value in values]
    if not all(0 < len(value) <= LONGEST_VALUE_CHARS for value in tidy):
        raise ValueError("a value is empty or too long")
    return _PLACE.sub(lambda place: tidy[int(place.group(1)) - 1], template.body)
