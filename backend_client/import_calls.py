"""Owns the calls of an import: announce the original, stage, look, confirm, forget.

It never reads the file, and never decides who a name stands for.
"""

from __future__ import annotations

from backend_client.calls import Caller
from contract import api, wire
from contract.import_wire import ConfirmImport, ImportList, ImportStatus, StageImport


class ImportCalls:
    """The order of the calls stands in contract.import_wire; bytes go as an attachment's do."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def announce(self, original: wire.CreateAttachment, *, key: str) -> wire.UploadState:
        """Announce an original; the same key again tells how far its upload came."""
        return await self._caller.command(
            "POST", api.IMPORT_FILES, original, wire.UploadState, key=key
        )

    async def stage(self, asked: StageImport, *, key: str) -> ImportStatus:
        """Have an uploaded original read; nothing is stored yet."""
        return await self._caller.command("POST", api.IMPORTS, asked, ImportStatus, key=key)

    async def status(self, import_id: str) -> ImportStatus:
        """Read how far an import is."""
        return await self._caller.get(api.IMPORT.format(import_id=import_id), ImportStatus)

    async def confirm(self, import_id: str, expected_new: int, *, key: str) -> ImportStatus:
        """Have what was previewed recorded; a figure that no longer holds is a conflict."""
        path = api.IMPORT_CONFIRM.format(import_id=import_id)
        body = ConfirmImport(expected_new=expected_new)
        return await self._caller.command("POST", path, body, ImportStatus, key=key)

    async def forget(self, import_id: str, *, key: str = "") -> wire.Done:
        """Have an import that was not confirmed forgotten with its file."""
        path = api.IMPORT.format(import_id=import_id)
        return await self._caller.command("DELETE", path, None, wire.Done, key=key)

    async def own(self) -> tuple[ImportStatus, ...]:
        """Read the asker's own imports, newest first."""
        return (await self._caller.get(api.IMPORTS, ImportList)).imports
