"""Owns finding secrets in text: keys and tokens by their form, and passwords by their name.

It never takes an ordinary word for one: what has no known form must look drawn at random.

Sources: secret_formats.py; RFC 7468 (PEM), RFC 7519 (JWT), RFC 3986 section 3.2.1 (user
information in an address), RFC 7617 and 6750 (Basic and Bearer credentials).
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator

from ahocorasick_rs import AhoCorasick

from contract.policy.normalise import fold_term
from contract.policy.scanned_text import Identifier, ScannedText, first_of_each_place
from contract.policy.secret_formats import has_known_form

_PEM_BEGIN = re.compile(r"-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----")
_SIGN = r"[A-Za-z0-9_\-.+/~|%]"
_TOKEN = re.compile(rf"(?<!{_SIGN}){_SIGN}{{15,}}={{0,3}}")
_MAX_TOKEN = 4_000
_USER_IN_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.]{1,12}://[^\s:/@]{1,64}:(?P<value>[^\s/@]{3,64})@", re.I
)
_PASSWORD_NAMES = (
    "password", "passwort", "passwd", "passphrase", "passcode", "pwd", "pw", "kennwort",
    "mot de passe", "contrasena", "senha", "parola", "wachtwoord", "пароль", "密码", "密碼", "口令",
    "パスワード", "비밀번호",
)  # fmt: skip
_KEY_NAMES = (
    "secret", "token", "credential", "auth", "bearer", "basic", "login", "session", "key",
)  # fmt: skip
SECRET_NAMES = tuple(fold_term(name) for name in (*_PASSWORD_NAMES, *_KEY_NAMES))
"""What secrets are called, folded, passwords first."""

_NAMES = AhoCorasick(SECRET_NAMES)
_AFTER_NAME = re.compile(
    r"[\w.\-]{0,40}['\"`]?\s{0,3}"
    r"(?:(?:=>|:=|\|\||[:=：>,]|is now\b|is\b|ist\b|lautet\b|est\b|es\b|e\b|是|は|为)[\s'\"`(]{0,5}"
    r"|(?<=[rc])\s(?=\S{0,60}[0-9+/=]))(?P<value>[^\s'\"`,;<>()]{6,256})",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(r"(?:[=:>|,]['\"`\s=]{0,5}|['\"`])$")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_JWT = re.compile(r"ey[A-Za-z0-9_/\-]{15,}\.ey[A-Za-z0-9_/\-]{15,}")
_RUN = re.compile(r"[A-Za-z0-9]+")
_MIN_RANDOM, _MIN_LOOSE, _MIN_SURE = 15, 24, 40
_MIN_BITS = 3.0
_MIN_NAME_INSIDE = 3


def find_secrets(text: ScannedText) -> list[Identifier]:
    """Find secrets: certain where their form, their name or a value's place says so.

    A private key counts from its first line on, to its last where that is there.
    """
    cased = text.cased
    found = [*_private_keys(cased), *_named(text), *_tokens(cased)]
    return first_of_each_place(found)


def looks_random(token: str) -> bool:
    """Tell whether a token's longest run of letters and digits looks drawn, not written."""
    run = max(_RUN.findall(token[:300]), key=len, default="")
    digits = sum(char.isdigit() for char in run)
    if len(run) < _MIN_RANDOM or not 0 < digits < len(run):
        return False
    changes = sum(one.isdigit() != two.isdigit() for one, two in itertools.pairwise(run))
    return changes >= 3 and _bits(run) >= _MIN_BITS


def _bits(run: str) -> float:
    """Return Shannon's entropy of the characters, in bits each."""
    counts = Counter(run).values()
    return -sum(count / len(run) * math.log2(count / len(run)) for count in counts)


def _private_keys(text: str) -> Iterator[Identifier]:
    if "-----BEGIN" not in text:
        return
    place = 0
    while (begin := _PEM_BEGIN.search(text, place)) is not None:
        end = _PEM_END.search(text, begin.end())
        place = end.end() if end is not None else begin.end()
        yield Identifier(begin.start(), place, "PRIVATE KEY", True, True)


def _named(text: ScannedText) -> Iterator[Identifier]:
    """Yield the values that names of passwords and keys stand before."""
    for index, start, end in _NAMES.find_matches_as_indexes(text.folded):
        if text.folded[start - 1 : start].isalpha() and end - start < _MIN_NAME_INSIDE:
            continue
        match = _AFTER_NAME.match(text.cased, end)
        if match is not None:
            yield from _valued(match, password=index < len(_PASSWORD_NAMES))
    if "://" in text.cased:
        for match in _USER_IN_ADDRESS.finditer(text.cased):
            yield from _valued(match, password=True)


def _valued(match: re.Match[str], *, password: bool) -> Iterator[Identifier]:
    value = match["value"].rstrip(".!?")
    start = match.start("value")
    if _is_password(value) if password else _is_key(value):
        yield Identifier(start, start + len(value), value, True, True)


def _is_password(value: str) -> bool:
    """Tell whether a value may be a password: it mixes kinds of characters as words do not."""
    kinds = (str.islower, str.isupper, str.isdigit)
    present = sum(any(kind(char) for char in value) for kind in kinds)
    inner_capital = value[1:] != value[1:].lower()
    signs = any(not char.isalnum() and char not in "-.:/…" for char in value)
    if value.startswith(("http", "www.")) or value.replace(".", "").replace(":", "").isdigit():
        return value.isdigit() and len(value) >= 6
    return (len(value) >= 6 and (any(map(str.isdigit, value)) or (signs and present > 0))) or (
        inner_capital and present > 1 and not value.isupper()
    )


def _is_key(value: str) -> bool:
    if len(value) < _MIN_RANDOM:
        return False
    return _UUID.fullmatch(value) is not None or looks_random(value) or has_known_form(value)


def _tokens(text: str) -> Iterator[Identifier]:
    for match in _TOKEN.finditer(text):
        token = match.group()[:_MAX_TOKEN].rstrip(".-/")
        start = match.start()
        if token.isalpha() and not token.isupper():
            continue
        address = text[max(start - 2, 0) : start] == "//" or text[max(start - 1, 0) : start] == "@"
        known = _known_part(token)
        if known is not None:
            yield Identifier(start + known[0], start + known[1], token[slice(*known)], True, True)
        elif not address and looks_random(token):
            assigned = _ASSIGNED.search(text, max(start - 6, 0), start) is not None
            mixed = token.lower() != token and token.upper() != token
            if assigned or (len(token) >= _MIN_LOOSE and mixed):
                certain = assigned or (len(token) >= _MIN_SURE and mixed)
                yield Identifier(start, start + len(token), token, False, certain)


def _known_part(token: str) -> tuple[int, int] | None:
    """Return where in a token, or in a path's piece of it, a key of known form stands."""
    if _JWT.match(token) or has_known_form(token):
        return 0, len(token)
    place = 0
    for piece in token.split("/"):
        if has_known_form(piece) or (token.startswith("hooks.slack.com") and len(piece) >= 20):
            return place, place + len(piece)
        place += len(piece) + 1
    return None
