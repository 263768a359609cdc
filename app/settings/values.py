"""Owns judging one raw value of a setting: its type, its limits, its format.

It never reads where values come from, and it never raises for a bad one.

Registry and installers know only text and numbers, so "1", 1 and "true" all read as true, and
a list may come as one text with line breaks or semicolons. Paths may hold variables of the
environment and a leading ~, so that one policy serves many users; a "full-path" may not, since
the user could lead it elsewhere.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from app.settings.schema import Setting, Value

_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_VERIFIER_KEY = re.compile(r"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$")
_NEVER_IN_ADDRESSES = re.compile(r"[\s\x00-\x20\x7f\"<>\\^`{|}]")
_PROXY_SCHEMES = frozenset({"http", "https"})


class Judged(NamedTuple):
    """A good value, or the reason why there is none."""

    value: Value | None
    reason: str = ""


def judge(setting: Setting, raw: object) -> Judged:
    """Return the setting's value for a raw one, or a plain reason why it can't be used."""
    match setting.type:
        case "boolean":
            return _boolean(raw)
        case "integer":
            return _integer(setting, raw)
        case "array":
            return _texts(setting, raw)
        case _:
            return _text(setting, raw)


def _boolean(raw: object) -> Judged:
    if isinstance(raw, bool):
        return Judged(raw)
    word = str(raw).strip().lower() if isinstance(raw, int | str) else ""
    if word in _TRUE | _FALSE:
        return Judged(word in _TRUE)
    return Judged(None, "it has to be true or false")


def _integer(setting: Setting, raw: object) -> Judged:
    number: int | None = None
    if isinstance(raw, int) and not isinstance(raw, bool):
        number = raw
    elif isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,9}", raw.strip(), re.ASCII):
        number = int(raw)
    if number is None or not setting.minimum <= number <= setting.maximum:
        return Judged(
            None, f"it has to be a whole number from {setting.minimum} to {setting.maximum}"
        )
    return Judged(number)


def _text(setting: Setting, raw: object) -> Judged:
    if not isinstance(raw, str):
        return Judged(None, "it has to be text")
    text = raw.strip()
    if setting.format == "absolute-path":
        text = os.path.expanduser(os.path.expandvars(text))  # noqa: PTH111 # "~" may be absent
    if setting.enum and text not in setting.enum:
        return Judged(None, f"it has to be one of {', '.join(setting.enum)}")
    if len(text) > setting.max_length:
        return Judged(None, f"it is longer than {setting.max_length} characters")
    reason = _format_fault(setting.format, text) if text else ""
    return Judged(None, reason) if reason else Judged(text)


def _texts(setting: Setting, raw: object) -> Judged:
    if isinstance(raw, str):
        raw = re.split(r"[;\r\n]+", raw)
    if not isinstance(raw, list | tuple) or not all(isinstance(item, str) for item in raw):
        return Judged(None, "it has to be a list of texts")
    texts = tuple(item.strip() for item in raw if item.strip())
    if len(texts) > setting.max_items:
        return Judged(None, f"it has more than {setting.max_items} entries")
    for number, text in enumerate(texts, 1):
        reason = _format_fault(setting.items.format, text)
        if len(text) > setting.items.max_length:
            reason = f"it is longer than {setting.items.max_length} characters"
        if reason:
            return Judged(None, f"entry {number}: {reason}")
    return Judged(texts)


def _format_fault(name: str, text: str) -> str:
    match name:
        case "https-url":
            return _https_fault(text)
        case "proxy-url":
            return _proxy_fault(text)
        case "absolute-path" | "full-path":
            full = Path(text).is_absolute() and "\0" not in text
            return "" if full else "it has to be a full path"
        case "verifier-key":
            fits = _VERIFIER_KEY.match(text) is not None
            return "" if fits else "it has to be a verifier key such as name+1a2b3c4d+AbC…="
        case _:
            return ""


def _https_fault(text: str) -> str:
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return "it is not a web address"
    if _NEVER_IN_ADDRESSES.search(text) or "@" in url.netloc:
        return "it is not a web address"
    if not host or url.query or url.fragment:
        return "it has to be an address such as https://parley.example.com"
    if url.scheme == "https" or (url.scheme == "http" and host in _LOOPBACK):
        return ""
    return "it has to start with https://"


def _proxy_fault(text: str) -> str:
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return "it is not a proxy address"
    if url.scheme not in _PROXY_SCHEMES or not host or _NEVER_IN_ADDRESSES.search(text):
        return "it has to be an address such as http://proxy.example.com:8080"
    return "a password does not belong here" if url.password else ""
