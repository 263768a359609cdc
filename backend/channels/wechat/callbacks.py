"""Owns what a callback of WeChat or WeCom says once its seal or signature was looked at.

It never reads a plain callback of an account that has a key for sealed ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from backend.channels.contract import RawItem
from backend.channels.wechat.documents import NotReadable, read_document
from backend.channels.wechat.sealing import NotGenuine, Seal, is_signed

# Without a seal the signature says nothing of the body, so that it must at least be a new one.
PLAIN_MAX_AGE_MS = 10 * 60_000


class Secrets(NamedTuple):
    """What an account's callbacks are sealed with; no key means they come in the clear."""

    token: str
    encoding_aes_key: str
    receiver: str

    def seal(self) -> Seal:
        """Return what opens sealed callbacks; raises ValueError for a key that is none."""
        return Seal(self.encoding_aes_key, self.receiver)


def query_of(url: str) -> dict[str, str]:
    """Return an address's query; the first of a name counts."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        found.setdefault(name, value)
    return found


def is_genuine(secrets: Secrets, item: RawItem, now_utc_ms: int) -> bool:
    """Tell whether a callback is the vendor's, in constant time for its secrets."""
    query = query_of(item.url)
    at, nonce = query.get("timestamp", ""), query.get("nonce", "")
    try:
        document = read_document(item.body)
        if not secrets.encoding_aes_key:
            given = query.get("signature", "")
            return is_signed(given, secrets.token, at, nonce) and _is_new(at, now_utc_ms)
        sealed, given = document.get("Encrypt", ""), query.get("msg_signature", "")
        if not sealed or not is_signed(given, secrets.token, at, nonce, sealed):
            return False
        secrets.seal().open(sealed)
    except (NotReadable, NotGenuine, ValueError):
        return False
    return True


def read_callback(secrets: Secrets, raw: bytes) -> dict[str, str]:
    """Return what a callback says; raises NotReadable or NotGenuine (both ValueError)."""
    document = read_document(raw)
    if not secrets.encoding_aes_key:
        return document
    return read_document(secrets.seal().open(document.get("Encrypt", "")))


def echo_of(secrets: Secrets, query: Mapping[str, str]) -> bytes | None:
    """Return what a vendor's check of the address wants to read; None for a wrong signature.

    WeCom seals its word, WeChat sends it in the clear.
    """
    at, nonce, word = (query.get(name, "") for name in ("timestamp", "nonce", "echostr"))
    if "msg_signature" in query:
        if not is_signed(query["msg_signature"], secrets.token, at, nonce, word):
            return None
        try:
            return secrets.seal().open(word)
        except ValueError:
            return None
    if not is_signed(query.get("signature", ""), secrets.token, at, nonce):
        return None
    return word.encode()


def _is_new(timestamp: str, now_utc_ms: int) -> bool:
    if not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    return abs(now_utc_ms - int(timestamp) * 1000) <= PLAIN_MAX_AGE_MS
