"""Owns the names of all settings, as in `packaging/policy/schema.json`.

It does not know their types or defaults.
"""

from __future__ import annotations

from enum import StrEnum


class Key(StrEnum):
    """A setting's name, the same in policies, installer defaults and the user's file."""

    BACKEND_URL = "BackendUrl"
    BACKEND_CA_FILE = "BackendCaFile"
    PROXY_MODE = "ProxyMode"
    PROXY_URL = "ProxyUrl"
    PROXY_BYPASS = "ProxyBypass"
    EMBEDDED_BACKEND = "EmbeddedBackend"
    IDLE_LOCK_MINUTES = "IdleLockMinutes"
    PASSPHRASE_ALLOWED = "PassphraseAllowed"
    LOG_VERIFIER_KEY = "LogVerifierKey"
    WITNESS_VERIFIER_KEYS = "WitnessVerifierKeys"
    POLICY_VERIFIER_KEY = "PolicyVerifierKey"
    RECOVERY_VERIFIER_KEYS = "RecoveryVerifierKeys"
    DATA_FOLDER = "DataFolder"
    OUTBOX_FOLDER = "OutboxFolder"
    LOCAL_CACHE_MEGABYTES = "LocalCacheMegabytes"
    ATTACHMENT_CACHE_MEGABYTES = "AttachmentCacheMegabytes"
    UNDO_SEND_SECONDS = "UndoSendSeconds"
    ENTER_SENDS = "EnterSends"
    NOTIFICATIONS_SHOW_TEXT = "NotificationsShowText"
    THEME = "Theme"
    LANGUAGE = "Language"
    AUTOSTART = "Autostart"
    UPDATE_CHECK = "UpdateCheck"
    DIAGNOSTICS_UPLOAD_ALLOWED = "DiagnosticsUploadAllowed"
    LOG_LEVEL = "LogLevel"
