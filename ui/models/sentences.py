"""Holds the plain sentences behind the client's message keys.

It never formats anything but one detail into a sentence.
"""

from __future__ import annotations

from app.domain.errors import AppError, PolicyDenied

_SENTENCES = {
    "error.unexpected": "Something went wrong that Parley did not foresee. Your text is safe; "
    "please try again.",
    "error.environment": "This computer could not do that just now. Please try again.",
    "error.offline": "There is no connection. Your text is kept and goes out when it is back.",
    "error.timeout": "The answer took too long. Parley tries again by itself.",
    "error.backend_fault": "The service can't do that just now. Parley tries again by itself.",
    "error.disk_full": "The disk is full. Free some space, then try again; your text is still "
    "here.",
    "error.store_busy": "Parley is already open with this data folder. Use the open window, or "
    "close it first.",
    "error.outbox_in_use": "Parley is open in another session of yours, maybe on another "
    "computer, with the same unsent messages. Close it there, then start Parley again.",
    "error.outbox_unreachable": "The folder for your unsent messages can't be reached. Parley does "
    "not start without it, so that nothing you write is lost. Check the network, then start "
    "Parley again; if that does not help, ask IT.",
    "error.keyring_locked": "The keyring of this computer is locked. Unlock it, then start "
    "Parley again.",
    "error.keyring_missing": "This session has no keyring. Choose a passphrase to protect "
    "Parley's data instead.",
    "error.key_lost": "The key to Parley's data is no longer in the keyring of this computer. "
    "The data is kept.",
    "error.passphrase_wrong": "That passphrase does not open Parley's data. Please try again.",
    "error.refused": "The service refused this. Nothing was sent.",
    "error.policy_denied": "Your firm's rules do not let this message go. Edit it and send it "
    "again.",
    "error.auth_expired": "Your sign-in has ended. Sign in again to go on; your drafts are kept.",
    "error.not_allowed": "You may not do this here, or it is no longer there.",
    "error.conflict": "This was changed meanwhile. Look at the conversation, then try again.",
    "error.too_large": "This is too large for the channel. Shorten it or choose a smaller file.",
    "error.client_too_old": "This version of Parley is too old for the service. Ask IT for the "
    "new one.",
    "error.bad_data": "Something could not be read. Parley asks for it again.",
    "error.malformed_event": "An update could not be read. Parley asks for it again.",
    "error.malformed_reply": "The answer was garbled on its way. Parley asks for it again.",
    "error.unknown_version": "This data was written by a newer Parley. Update Parley to open it.",
    "error.cursor_gone": "Parley was away for long and reads everything anew.",
    "error.corrupt_store": "Parley's local copy was damaged. It is kept aside and read anew.",
    "error.wrong_key": "The key in this computer's keyring does not open Parley's data. The data "
    "is kept; ask IT to bring the keyring back.",
    "notice.no_backend": "Parley has no service to work with. {detail} Ask IT to set the "
    "service's address.",
    "notice.policy_bundle_refused": "New rules could not be taken, so the ones before stay in "
    "force: {detail}.",
    "notice.cache_set_aside": "Parley's local copy was damaged. It was kept aside as {detail} "
    "and is being read anew; nothing is lost.",
    "notice.outbox_partly_read": "Part of the waiting messages could not be read: {detail}. The "
    "original file is kept; please look at your last messages.",
    "notice.archive_keys_missing": "The archive's keys are not set on this computer, so its proofs "
    "can't be checked here. Ask IT to set them.",
    "notice.archive_keys_faulty": "The archive's keys set on this computer can't be used. Ask IT "
    "to set them anew.",
    "notice.settings_changed": "Your firm has changed settings of Parley ({detail}). Start Parley "
    "again to work with them.",
    "notice.disk_full": "The disk is full. Free some space; your text stays here until then.",
    "notice.keyring": "The keyring of this computer is not there; a passphrase protects your data.",
}


def sentence(key: str, detail: str = "") -> str:
    """Return the sentence for `key`; an unknown key gives the general one."""
    text = _SENTENCES.get(key) or _SENTENCES["error.unexpected"]
    return text.replace("{detail}", detail)


def sentence_of(fault: AppError) -> str:
    """Return what to tell the user about `fault`; a refused message names its first finding."""
    if isinstance(fault, PolicyDenied) and fault.problem and fault.problem.findings:
        return fault.problem.findings[0].message
    return sentence(fault.user_message_key)


def known_keys() -> frozenset[str]:
    """Return every key that has a sentence of its own."""
    return frozenset(_SENTENCES)
