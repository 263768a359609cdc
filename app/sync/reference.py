"""Owns what the client must know before it can work: capabilities, person, policy bundle.

It never interprets the bundle; it keeps the newest bytes so that hints work without a line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from app.domain.errors import ClientTooOld
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError, Garbled, ProblemReply
from contract.versions import is_older
from contract.wire import CapabilitiesDocument, ChannelTrouble, Me

T = TypeVar("T")

_LOG = logging.getLogger(__name__)

META_ME = "me"
META_CAPABILITIES = "capabilities"
META_BUNDLE = "policy_bundle"
META_BUNDLE_ETAG = "policy_bundle_etag"
META_ORIGIN = "origin"
META_HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Reference:
    """The newest known of each; `bundle` holds the bytes as published."""

    capabilities: CapabilitiesDocument | None = None
    me: Me | None = None
    bundle: bytes | None = None
    bundle_etag: str = ""


class ReferenceKeeper:
    """Reads the reference data from the store at once and from the backend when it answers."""

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        client_version: str,
        changed: Callable[[Reference], None],
    ) -> None:
        self._api = api
        self._store = store
        self._client_version = client_version
        self._changed = changed
        self.current = Reference()

    async def load(self) -> None:
        """Read what was kept last time; unreadable parts count as absent."""
        cache = self._store.cache
        etag = await cache.get_meta(META_BUNDLE_ETAG)
        bundle = await cache.get_meta(META_BUNDLE)
        self._set(
            Reference(
                capabilities=_decoded(
                    await cache.get_meta(META_CAPABILITIES), CapabilitiesDocument
                ),
                me=_decoded(await cache.get_meta(META_ME), Me),
                bundle=bundle,
                bundle_etag=etag.decode() if etag is not None and bundle is not None else "",
            )
        )

    async def refresh(self) -> None:
        """Read everything anew and keep it.

        A cache that belongs to another backend or person, or to a backend that was restored since,
        is emptied first. Raises ClientError, and ClientTooOld when the backend asks for a newer
        Parley.
        """
        capabilities = await self._api.workspace.capabilities()
        if self._is_too_old_for(capabilities):
            await self._keep_minimum(capabilities)
            raise ClientTooOld(f"version {capabilities.min_client_version} or newer is needed")
        me = await self._api.workspace.me()
        await self._check_origin(f"{capabilities.instance_id} {me.firm_id} {me.employee_id}")
        await self._check_history(capabilities.history_id)
        cache = self._store.cache
        await cache.put_meta(META_CAPABILITIES, msgspec.json.encode(capabilities))
        # What is wrong with channels holds for now only: the next start asks anew.
        await cache.put_meta(META_ME, msgspec.json.encode(msgspec.structs.replace(me, troubles=())))
        # A cache made anew holds no bundle: it is read again even when it is still the same.
        etag = self.current.bundle_etag if await cache.get_meta(META_BUNDLE_ETAG) else ""
        self._set(replace(self.current, capabilities=capabilities, me=me, bundle_etag=etag))
        await self.refresh_bundle()

    async def learn_minimum(self) -> None:
        """Read which version the backend works with, after it refused this one in mid-session."""
        known = self.current.capabilities
        if known is not None and self._is_too_old_for(known):
            return
        try:
            capabilities = await self._api.workspace.capabilities()
        except ClientError as fault:
            _LOG.warning("the needed version was not read: %s", fault.detail)
            return
        if self._is_too_old_for(capabilities):
            await self._keep_minimum(capabilities)

    def take_troubles(self, troubles: tuple[ChannelTrouble, ...]) -> None:
        """Take what is wrong with the person's channels now, in the place of what was."""
        me = self.current.me
        if me is not None:
            self._set(replace(self.current, me=msgspec.structs.replace(me, troubles=troubles)))

    async def refresh_me(self) -> None:
        """Read who is signed in anew; a refusal keeps what is known."""
        try:
            me = await self._api.workspace.me()
        except ClientError as fault:
            _LOG.warning("the person was not read anew: %s", fault.detail)
            return
        self._set(replace(self.current, me=me))

    async def refresh_bundle(self) -> None:
        """Read the policy bundle when it changed; a refusal keeps the old one running."""
        try:
            reply = await self._api.workspace.policy_bundle(self.current.bundle_etag)
        except (ProblemReply, Garbled) as fault:
            _LOG.warning("policy bundle not refreshed: %s", fault.detail)
            return
        if reply is None:
            return
        # The tag last: a kill between the two reads the bundle again instead of keeping an old.
        await self._store.cache.put_meta(META_BUNDLE, reply.body)
        await self._store.cache.put_meta(META_BUNDLE_ETAG, reply.etag.encode())
        self._set(replace(self.current, bundle=reply.body, bundle_etag=reply.etag))

    async def _check_origin(self, origin: str) -> None:
        cache = self._store.cache
        known = await cache.get_meta(META_ORIGIN)
        if known is not None and known.decode() != origin:
            _LOG.warning("the cache belongs to another backend or person: emptied")
            await cache.purge_all()
            await cache.begin_resync()
            self._set(Reference())
        if known is None or known.decode() != origin:
            await cache.put_meta(META_ORIGIN, origin.encode())

    async def history(self) -> str:
        """Return the history id of what the cache holds; "" while the backend told none."""
        return (await self._store.cache.get_meta(META_HISTORY) or b"").decode()

    async def _check_history(self, told: str) -> None:
        """Empty a cache from before the backend was restored; the first id told is taken over."""
        known = await self.history()
        if not told or told == known:
            return
        if known:
            _LOG.warning("the backend was restored from a back-up: the cache was emptied")
            await self._store.cache.purge_all()
        await self._store.cache.put_meta(META_HISTORY, told.encode())

    def _is_too_old_for(self, capabilities: CapabilitiesDocument) -> bool:
        return is_older(self._client_version, capabilities.min_client_version)

    async def _keep_minimum(self, capabilities: CapabilitiesDocument) -> None:
        """Keep what a backend says that refuses this version: the next start knows it at once."""
        await self._store.cache.put_meta(META_CAPABILITIES, msgspec.json.encode(capabilities))
        self._set(replace(self.current, capabilities=capabilities))

    def _set(self, reference: Reference) -> None:
        if reference != self.current:
            self.current = reference
            self._changed(reference)


def _decoded(raw: bytes | None, kind: type[T]) -> T | None:
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError:
        return None
