"""The access token of a person: kept in the system's keyring, one for each backend.

It touches no keyring but that of a session bus of its own.
"""

from __future__ import annotations

import os

import pytest

from app.domain.errors import KeyringMissing
from app.session.access_token import forget_token, keep_token, kept_token


@pytest.fixture
def url() -> str:
    """Return the address of a backend nobody signed in to."""
    return f"https://parley-{os.urandom(6).hex()}.example"


@pytest.mark.usefixtures("private_keyring")
def test_a_token_is_kept_for_its_backend_until_it_is_forgotten(url: str) -> None:
    keep_token(url, "parley_first")
    keep_token(url + "/", "parley_second")
    assert kept_token(url) == "parley_second"
    assert kept_token(url + "/other") == ""
    forget_token(url)
    assert kept_token(url) == ""
    forget_token(url)


def test_without_a_keyring_nobody_is_signed_in(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)
    monkeypatch.setattr("app.session.secret_service.read_at_once", lambda *_: None)
    with pytest.raises(KeyringMissing):
        keep_token(url, "parley_first")
    assert kept_token(url) == ""
