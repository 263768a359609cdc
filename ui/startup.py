"""Opens the core at start, asking for a passphrase or about a lost key where it must.

It never makes a new key for data that exists unless the user says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from app.core import Core
from app.domain.errors import (
    AppError,
    KeyLost,
    KeyringLocked,
    KeyringMissing,
    OutboxInUse,
    PassphraseWrong,
    StoreBusy,
)
from app.settings.keys import Key
from ui.models.sentences import sentence, sentence_of

if TYPE_CHECKING:
    from ui.views.dialogs.plain_dialog import PlainDialog

MakeCore = Callable[[str | None], Core]


async def _nobody() -> bool:
    return False


async def open_core(
    make_core: MakeCore,
    passphrase: str | None = None,
    *,
    first: Core | None = None,
    other_takes_over: Callable[[], Awaitable[bool]] = _nobody,
) -> Core | None:
    """Return an opened core, or None when the user chose to quit.

    `make_core` builds a fresh one for each try, with a passphrase or None for the keyring;
    `first` is tried before any of them. Where another Parley holds the folder
    `other_takes_over` tells whether that one does what this start was for.
    """
    given = passphrase
    while True:
        core, first = first or make_core(given), None
        try:
            await core.open(with_backend=True)
        except AppError as fault:
            await core.close()
            here = isinstance(fault, StoreBusy) and not isinstance(fault, OutboxInUse)
            if here and await other_takes_over():
                return None
            answer = await _ask_about(core, fault)
            if answer is None:
                return None
            given = answer or None
        else:
            return core


async def _ask_about(core: Core, fault: AppError) -> str | None:
    """Return the passphrase to try, "" to try again without one, None to quit."""
    if isinstance(fault, KeyLost):
        return await _ask_about_lost_key(core)
    known = await asyncio.to_thread(core.vault.uses_passphrase, core.paths)
    if isinstance(fault, PassphraseWrong):
        return await _ask_passphrase(choosing=False, error=sentence_of(fault))
    if isinstance(fault, KeyringLocked) and known:
        return await _ask_passphrase(choosing=False)
    if isinstance(fault, KeyringMissing) and core.settings.flag(Key.PASSPHRASE_ALLOWED):
        return await _ask_passphrase(choosing=not known)
    await _tell(sentence(fault.user_message_key))
    return None


async def _ask_passphrase(*, choosing: bool, error: str = "") -> str | None:
    from ui.views.dialogs.key_dialogs import PassphraseDialog

    dialog = PassphraseDialog(choosing=choosing, error=error)
    return dialog.passphrase() if await _answered(dialog) else None


async def _ask_about_lost_key(core: Core) -> str | None:
    from ui.views.dialogs.key_dialogs import KeyLostDialog

    if not await _answered(KeyLostDialog()):
        return None
    await asyncio.to_thread(core.vault.start_anew, core.paths)
    return ""


async def _tell(words: str) -> None:
    from ui.views.dialogs.key_dialogs import FaultDialog

    await _answered(FaultDialog(words))


async def _answered(dialog: PlainDialog) -> bool:
    from ui.bridge.dialogs import ask

    try:
        return await ask(dialog)
    finally:
        dialog.deleteLater()
