"""The commands that sign a person in to their firm's backend with an access token, and out again.

It never prints a token, never keeps one outside the keyring, and imports no Qt.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.connection import configured_endpoint
from app.domain.errors import AppError, Refused
from app.session.access_token import forget_token, keep_token
from app.settings.paths import config_dir
from app.settings.settings import Settings

_LONGEST_TOKEN = 1000  # what Windows Credential Manager holds, with room to spare
EXIT_USER, EXIT_IT = 10, 20


def run_sign_in(source: str) -> int:
    """Keep the token in a file (`-`: on standard input) for the configured backend.

    Returns the exit status: 0 kept, 10 no token there, 20 no backend or no keyring here.
    """
    try:
        token = (sys.stdin.readline() if source == "-" else Path(source).read_text("utf-8")).strip()
    except (OSError, UnicodeError):
        return _say("The token's file can't be read.", EXIT_USER)
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii() or " " in token:
        return _say("There is no access token in it: ask your administrator for one.", EXIT_USER)
    try:
        url = _backend_url()
        keep_token(url, token)
    except AppError as fault:
        return _say(f"Signing in is not possible: {fault.detail.rstrip('.')}.", EXIT_IT)
    print(f"Signed in to {url}. Start Parley, and delete the token's file.")
    return 0


def run_sign_out() -> int:
    """Forget the configured backend's token; returns the exit status as for signing in."""
    try:
        url = _backend_url()
        forget_token(url)
    except AppError as fault:
        return _say(f"Signing out is not possible: {fault.detail.rstrip('.')}.", EXIT_IT)
    print(f"Signed out of {url}.")
    return 0


def _backend_url() -> str:
    endpoint = configured_endpoint(Settings.load(config_dir()))
    if endpoint is None:
        raise Refused("no backend is configured: IT sets BackendUrl first")
    return endpoint.url


def _say(words: str, status: int) -> int:
    sys.stderr.write(f"{words}\n")
    return status
