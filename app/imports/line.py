"""Owns an import's way through the backend: its original announced, uploaded, staged, followed.

It never reads what the file holds, and stores nothing: the backend does once it is confirmed.
"""

from __future__ import annotations

import asyncio
import mimetypes
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.domain.errors import NotAllowed, Refused, TooLarge
from app.domain.imports import Person, Unfinished, Who
from app.faults import to_app_error
from app.imports.reading import TOO_LARGE
from app.imports.uploading import Told, patiently, upload
from backend_client.client import GovernedApi
from backend_client.errors import ClientError, ProblemReply
from contract.ids import AttachmentId
from contract.import_wire import (
    MOST_FILE_BYTES,
    ImportPerson,
    ImportPhase,
    ImportStatus,
    StageImport,
    Standing,
)
from contract.imports.model import Source
from contract.wire import CreateAttachment, UploadState

_LOOK_EVERY_S, _LOOK_AT_LEAST_EVERY_S = 0.2, 2.0
_STANDINGS = {
    Who.CLIENT: Standing.CONTACT,
    Who.NEW_CLIENT: Standing.NEW_CONTACT,
    Who.ME: Standing.ME,
}


@dataclass(frozen=True, slots=True)
class Original:
    """The file that is uploaded: the export itself, or the one chat that was cut out of it."""

    path: Path
    name: str
    size_bytes: int
    sha256: str


class ImportLine:
    """Every call waits for a line that is lost for a while, and goes on where it was."""

    def __init__(self, api: GovernedApi) -> None:
        self._api = api

    async def bring(
        self,
        original: Original,
        upload_id: str,
        began: Callable[[str], Awaitable[None]],
        told: Told,
    ) -> str:
        """Upload the original, going on with `upload_id` where there is one; returns its id.

        `began` hears the id of a new upload before its first byte. Raises TooLarge, Refused and
        what the line raises.
        """
        if original.size_bytes > MOST_FILE_BYTES:
            raise TooLarge(TOO_LARGE)
        state = await self._known(upload_id) if upload_id else None
        if state is None:
            state = await self._announce(original)
            await began(state.attachment_id)
        attachment_id = state.attachment_id

        async def held() -> int:
            return (await self._api.files.upload_state(attachment_id)).offset_bytes

        async def put(offset_bytes: int, piece: bytes) -> int:
            return (await self._api.files.upload(attachment_id, offset_bytes, piece)).offset_bytes

        await upload(original.path, original.size_bytes, held, put, told)
        return attachment_id

    async def stage(
        self, original: Original, upload_id: str, source: Source, begun: Unfinished
    ) -> ImportStatus:
        """Have the uploaded original read as the person said."""
        asked = StageImport(
            attachment_id=AttachmentId(upload_id),
            sha256=original.sha256,
            source=source,
            people=people_of(begun.people),
            chat_key=begun.chat_key,
            time_zone=begun.read_as.zone,
            day_order=begun.read_as.order,
        )
        key = secrets.token_hex(16)
        return await patiently(lambda: self._api.imports.stage(asked, key=key))

    async def until(
        self, import_id: str, phases: frozenset[ImportPhase], told: Told
    ) -> ImportStatus:
        """Follow an import until it is in one of `phases`; raises Refused with its problem."""
        pause_s = _LOOK_EVERY_S
        while True:
            status = await patiently(partial(self._api.imports.status, import_id))
            if status.phase is ImportPhase.REFUSED:
                raise Refused(status.problem)
            if status.phase in phases:
                return status
            told(status.done / status.total if status.total else 0.0)
            await asyncio.sleep(pause_s)
            pause_s = min(_LOOK_AT_LEAST_EVERY_S, pause_s * 1.3)

    async def confirm(self, import_id: str, expected_new: int) -> ImportStatus:
        """Have what was previewed recorded; raises Conflict when its figure holds no more."""
        key = secrets.token_hex(16)
        try:
            return await self._api.imports.confirm(import_id, expected_new, key=key)
        except ProblemReply as fault:
            raise to_app_error(fault) from fault
        except ClientError:
            # Another confirmation changes nothing.
            return await patiently(
                lambda: self._api.imports.confirm(import_id, expected_new, key=key)
            )

    async def forget(self, import_id: str) -> None:
        """Have an import that was not confirmed forgotten; one that is gone is no fault."""
        try:
            await self._api.imports.forget(import_id)
        except ClientError as fault:
            error = to_app_error(fault)
            if not isinstance(error, NotAllowed):
                raise error from fault

    async def _announce(self, original: Original) -> UploadState:
        announced = CreateAttachment(
            name=original.name,
            media_type=mimetypes.guess_type(original.name)[0] or "application/octet-stream",
            size_bytes=original.size_bytes,
            sha256=original.sha256,
        )
        key = secrets.token_hex(16)
        return await patiently(lambda: self._api.imports.announce(announced, key=key))

    async def _known(self, upload_id: str) -> UploadState | None:
        """Return how far an upload came, None when the backend holds it no more."""
        try:
            return await patiently(partial(self._api.files.upload_state, AttachmentId(upload_id)))
        except NotAllowed:
            return None


def people_of(people: Mapping[str, Person]) -> tuple[ImportPerson, ...]:
    """Return what was said of the names, as it travels; left out are those nobody identified."""
    return tuple(
        ImportPerson(
            name=name,
            standing=_STANDINGS[person.who],
            contact_id=person.contact_id,
            display_name=person.name if person.who is Who.NEW_CLIENT else "",
        )
        for name, person in people.items()
        if person.who is not Who.UNIDENTIFIED
    )
