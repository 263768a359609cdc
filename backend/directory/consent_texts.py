"""Owns what clients are told of recording: the firm's versions, those shipped, and their choice.

It never changes a text that was added: a new one gets the next version.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, insert, select

from backend.archive.entries import append_act
from backend.directory.administration import AdministrationRefused
from backend.storage.account_tables import NOTICE, OPT_IN, consent_texts
from backend.storage.tables import firms
from contract.ids import uuid7
from contract.wire import Channel

KIND_CONSENT_TEXT = "consent_text"
KINDS = (NOTICE, OPT_IN)
FALLBACK_LANGUAGE = "en"
MAX_CHARS = 1_000
FIRM_PLACE = "{firm}"
_ALL = "all"
# A region's or an older name of a language, where its script has texts of its own.
_SCRIPTS = {"zh": "zh-Hans", "zh-cn": "zh-Hans", "zh-sg": "zh-Hans"} | dict.fromkeys(
    ("zh-tw", "zh-hk", "zh-mo"), "zh-Hant"
)


class ConsentTextError(AdministrationRefused):
    """A text can't be added so; the message says why in a plain sentence."""


class ConsentText(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a text; `{firm}` in its body stands for the firm's name.

    `version_id` is what a client's consent names: kind, channel, language, version. `shipped`
    ones come with Parley; `review` is what counsel still has to do.
    """

    kind: str
    language: str
    version: int
    body: str
    channel: str = ""
    review: str = ""
    shipped: bool = False
    added_at_utc_ms: int = 0

    @property
    def version_id(self) -> str:
        """Return such as `opt_in/sms/de/3`, or `notice/all/en/shipped-1`."""
        number = f"shipped-{self.version}" if self.shipped else str(self.version)
        return "/".join((self.kind, self.channel or _ALL, self.language, number))


def add_text(
    connection: Connection,
    firm_id: str,
    *,
    kind: str,
    channel: Channel | None,
    language: str,
    body: str,
    review: str,
    actor_id: str,
    now_utc_ms: int,
) -> ConsentText:
    """Add the next version of a text, archived (`channel` None: all); raises ConsentTextError."""
    body, language = _checked(kind, body, language)
    columns, place = consent_texts.c, "" if channel is None else channel.value
    this = (
        columns.firm_id == firm_id,
        columns.kind == kind,
        columns.channel == place,
        columns.language == language,
    )
    newest = connection.execute(select(func.max(columns.version)).where(*this)).scalar() or 0
    text = ConsentText(
        kind=kind,
        language=language,
        version=newest + 1,
        body=body,
        channel=place,
        review=review,
        added_at_utc_ms=now_utc_ms,
    )
    _archive(connection, firm_id, text, actor_id, now_utc_ms)
    connection.execute(
        insert(consent_texts).values(
            text_id=uuid7(now_utc_ms, os.urandom(10)),
            firm_id=firm_id,
            channel=place,
            language=language,
            kind=kind,
            version=text.version,
            body=body,
            sha256=hashlib.sha256(body.encode()).hexdigest(),
            review=review,
            added_by=actor_id,
            added_at_utc_ms=now_utc_ms,
        )
    )
    return text


def _checked(kind: str, body: str, language: str) -> tuple[str, str]:
    body, language = body.strip(), language.strip()
    if kind not in KINDS:
        raise ConsentTextError(f"The kind is one of: {', '.join(KINDS)}.")
    if not body or len(body) > MAX_CHARS:
        raise ConsentTextError(f"A text has between 1 and {MAX_CHARS} characters.")
    if not language or "/" in language:
        raise ConsentTextError("Name the text's language, such as de or zh-Hant.")
    return body, language


def texts_of(connection: Connection, firm_id: str) -> tuple[ConsentText, ...]:
    """Return the firm's texts with every version, then those that came with Parley."""
    columns = consent_texts.c
    rows = connection.execute(
        select(consent_texts)
        .where(columns.firm_id == firm_id)
        .order_by(columns.kind, columns.channel, columns.language, columns.version)
    )
    own = tuple(
        ConsentText(
            kind=row.kind,
            language=row.language,
            version=row.version,
            body=row.body,
            channel=row.channel,
            review=row.review,
            added_at_utc_ms=row.added_at_utc_ms,
        )
        for row in rows
    )
    return own + shipped_texts()


def text_for(
    connection: Connection, firm_id: str, kind: str, channel: Channel, language: str
) -> ConsentText:
    """Return the newest text for a channel in a language, with the firm's name in its place.

    The firm's own for the channel counts before its own for all channels, and that before the
    one shipped; a language without any gets the same language's other script, then English.
    """
    known = [text for text in texts_of(connection, firm_id) if text.kind == kind]
    mine = [text for text in known if text.channel in ("", channel.value)]
    for wanted in _languages(language):
        found = [text for text in mine if text.language.lower() == wanted.lower()]
        if found:
            best = max(found, key=lambda one: (not one.shipped, one.channel != "", one.version))
            name: str = connection.execute(
                select(firms.c.display_name).where(firms.c.firm_id == firm_id)
            ).scalar_one()
            return msgspec.structs.replace(best, body=best.body.replace(FIRM_PLACE, name))
    raise ConsentTextError("There is no text in English, neither the firm's nor Parley's.")


@functools.lru_cache(maxsize=1)
def shipped_texts() -> tuple[ConsentText, ...]:
    """Return the texts that came with Parley; counsel has to review each before its use."""
    read = msgspec.json.decode(
        (_folder() / "texts.json").read_bytes(), type=tuple[ConsentText, ...]
    )
    return tuple(msgspec.structs.replace(text, shipped=True) for text in read)


def _languages(language: str) -> tuple[str, ...]:
    """Return the languages in which a text may be, the best first."""
    base = language.partition("-")[0]
    script = _SCRIPTS.get(language.lower(), "")
    given = (language, script, base, _SCRIPTS.get(base.lower(), ""), FALLBACK_LANGUAGE)
    return tuple(dict.fromkeys(one for one in given if one))


def _folder() -> Path:
    import resources

    return Path(resources.__file__).parent / "consent"


def _archive(
    connection: Connection, firm_id: str, text: ConsentText, actor_id: str, now_utc_ms: int
) -> None:
    append_act(
        connection,
        kind=KIND_CONSENT_TEXT,
        actor_id=actor_id,
        told={"body": text.body, "review": text.review, "version": text.version_id},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
