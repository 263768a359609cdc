"""Puts what the backend says of versions of Parley into words.

It never says that Parley installs anything: it never does.
"""

from __future__ import annotations

from app.domain.client_versions import ClientVersions
from app.installation import Installed
from ui.models.banner_words import BannerWords

NEWER_VERSION = "newer_version"
CLIENT_PAGE = "client_page"
TOO_OLD = "This Parley is too old for your firm's service"
_PAGE_WORDS = "Open your firm's page"


def newer_banner(versions: ClientVersions, installed: Installed) -> BannerWords:
    """Return the quiet strip about a newer version; its page only where the user may install."""
    page = page_offered(versions, installed)
    who = "Your IT installs it."
    if installed is not Installed.MACHINE:
        who = "Your firm's page says how to get it." if page else "Ask IT for it."
    actions = [(f"dismiss:{NEWER_VERSION}", "Understood")]
    if page:
        actions.insert(0, (CLIENT_PAGE, _PAGE_WORDS))
    lead = f"A newer version of Parley is available: {versions.newer}."
    return BannerWords(
        NEWER_VERSION, "info", lead, f"{who} {versions.note}".strip(), tuple(actions)
    )


def too_old_words(versions: ClientVersions, own_version: str, installed: Installed) -> str:
    """Return what to do about a version that the service no longer works with."""
    who = "Your IT installs it." if installed is Installed.MACHINE else "Ask IT how to get it."
    words = (
        f"This is Parley {own_version}; your firm's service works with {versions.needed} or newer. "
        f"{who} {versions.note}"
    )
    kept = (
        "Nothing is lost: your drafts and waiting messages stay on this computer, and what waits "
        "goes out by itself afterwards."
    )
    return f"{words.strip()}\n\n{kept}"


def page_offered(versions: ClientVersions, installed: Installed) -> str:
    """Return the firm's page to offer, "" for none."""
    return "" if installed is Installed.MACHINE else versions.page
