"""Owns the ways to an import from a phone: a command, a button, a dropped file, one left begun.

It never builds or imports the rest of it before somebody takes one of these ways.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.imports.keeping import KEPT_ID
from ui.models.banner_words import OPEN_IMPORT

if TYPE_CHECKING:
    from ui.import_actions import ImportActions
    from ui.workspace import Workspace


class ImportEntry(QObject):
    """`actions` is there once the import was first asked for."""

    actions: ImportActions

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._building: asyncio.Lock = asyncio.Lock()
        workspace.window.people.import_requested.connect(self.open)
        workspace.window.file_drop.dropped.connect(self._on_dropped)
        workspace.spawner.spawn(self._look_for_unfinished(), "unfinished import")

    def open(self) -> None:
        """Bring the import page to the front, where it was left."""
        self._workspace.spawner.spawn(self._open(), "open the import")

    async def _open(self) -> None:
        self._workspace.banners.dismiss(OPEN_IMPORT)
        (await self._built()).open()

    def _on_dropped(self, paths: list[Path]) -> None:
        self._workspace.spawner.spawn(self._drop(paths), "take a dropped file")

    async def _drop(self, paths: list[Path]) -> None:
        (await self._built()).on_dropped(paths)

    async def _look_for_unfinished(self) -> None:
        """Say that an import was left begun; nothing is built where there is none."""
        kept = await self._workspace.core.store.drafts.get(KEPT_ID)
        if kept is not None and kept.text:
            (await self._built()).tell_unfinished()

    async def _built(self) -> ImportActions:
        async with self._building:
            if "actions" not in self.__dict__:
                await asyncio.to_thread(import_module, "ui.import_actions")
                await asyncio.to_thread(import_module, "app.import_desk")
                from app.import_desk import ImportDesk
                from ui.import_actions import ImportActions

                core = self._workspace.core
                desk = ImportDesk(core.api, core.store, self._workspace.clock, lambda: core.me)
                actions = ImportActions(self._workspace, desk)
                # What was left begun is known before anything else can be begun.
                await actions.presenter.recall()
                self.actions = actions
            return self.actions
