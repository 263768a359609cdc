"""Owns the mails partner archives take: the original of an entry and the journal report around it.

It does no I/O, and building the same letter again gives the same bytes.

Sources: RFC 5322, 2045-2047, 2231; the journal report as Exchange writes it, which Mimecast,
Global Relay and Microsoft 365 read.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage

_LOCAL_SAFE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_QUOTED, _ESCAPED = re.compile(r'(["\\])'), r"\\\1"
_MAX_LOCAL_CHARS = 64
_UNFOLDED_CHARS = 900  # RFC 5322 allows a line 998
_WRAPPED_TYPES = frozenset({"message", "multipart"})
_REPORT = "report."
MAX_SUBJECT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Party:
    """Someone who took part: the name to show, an id or address, and the room it is unique in.

    `realm` is `employees` or the channel's name; it becomes a label of the mail address.
    """

    name: str
    address: str
    realm: str

    def mail_address(self, domain: str) -> str:
        """Return the stable mail address this party has below the firm's journal domain."""
        local = self.address.removeprefix("+")
        if _LOCAL_SAFE.fullmatch(local) is None or len(local) > _MAX_LOCAL_CHARS:
            local = "id-" + hashlib.sha256(self.address.encode()).hexdigest()[:32]
        return f"{local}@{self.realm}.{domain}"


@dataclass(frozen=True, slots=True)
class LetterFile:
    """One file of a message."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that a mail says about one entry; times are UTC milliseconds.

    `outcome` is sent, refused or held for what an employee wrote, received for what clients
    did; `answers` is the entry an edit, deletion or reaction belongs to.
    """

    entry_id: str
    entry_hash: str
    index: int
    kind: str
    outcome: str
    channel: str
    title: str
    conversation_id: str
    message_id: str
    revision: int
    occurred_at_utc_ms: int
    archived_at_utc_ms: int
    text: str
    sender: Party
    recipients: tuple[Party, ...]
    justification: str = ""
    answers: str = ""
    files: tuple[LetterFile, ...] = ()


def mail_id(entry_id: str, domain: str, *, report: bool, participant: str = "") -> str:
    """Return the Message-ID of an entry's mail; the same entry always has the same."""
    copy = "." + hashlib.sha256(participant.encode()).hexdigest()[:12] if participant else ""
    return f"<{_REPORT if report else ''}{entry_id}{copy}@{domain}>"


def mail_names(mail: str) -> frozenset[str]:
    """Return the ids a sink may file a mail under: its own, and its original's in a report."""
    return frozenset({mail, mail.replace(f"<{_REPORT}", "<", 1)})


def original_mail(letter: Letter, domain: str, *, participant: str = "") -> bytes:
    """Return the entry as an RFC 5322 message with CRLF line ends, ASCII only.

    `participant` is the mail address a copy is for, for archives that file by mailbox.
    """
    content = _empty_mail()
    content.set_content(_encodable(letter.text), cte="quoted-printable")
    for file in letter.files:
        maintype, subtype = _media_type(file.media_type)
        content.add_attachment(
            file.data, maintype=maintype, subtype=subtype, filename=_plain(file.name) or "file"
        )
    if content.is_multipart():
        content.set_boundary(_boundary(letter.entry_id, "original"))
    thread = f"<{letter.conversation_id or 'archive'}.conversation@{domain}>"
    answered = mail_id(letter.answers, domain, report=False) if letter.answers else ""
    own_id = mail_id(letter.entry_id, domain, report=False, participant=participant)
    lines = [
        _header("From", _address(letter.sender, domain)),
        _header("To", *(_address(party, domain) for party in letter.recipients)),
        _header("Subject", _encoded("Subject", subject_of(letter))),
        _header("Date", _date(letter.occurred_at_utc_ms)),
        _header("Message-ID", own_id),
        _header("In-Reply-To", answered) if answered else b"",
        _header("References", f"{thread} {answered}".strip()),
        *(
            _header(name, _encoded(name, value))
            for name, value in _own_headers(letter, participant).items()
        ),
    ]
    return b"".join(lines) + content.as_bytes()


def _empty_mail() -> EmailMessage:
    from email.message import EmailMessage
    from email.policy import SMTP  # not before a mail is built: it costs start-up

    return EmailMessage(policy=SMTP)


def journal_report(letter: Letter, original: bytes, domain: str, sender: str, to: str) -> bytes:
    """Return the journal report: who wrote to whom, then the original's unaltered bytes.

    `sender` and `to` are plain mail addresses.
    """
    part = _empty_mail()
    part.set_content("\n".join(_report_lines(letter, domain)), cte="quoted-printable")
    del part["MIME-Version"]
    boundary = _boundary(letter.entry_id, "report")
    line = b"--" + boundary.encode()
    lines = [
        _header("From", _plain(sender)),
        _header("To", _plain(to)),
        _header("Subject", _encoded("Subject", subject_of(letter))),
        _header("Date", _date(letter.archived_at_utc_ms)),
        _header("Message-ID", mail_id(letter.entry_id, domain, report=True)),
        b"X-MS-Journal-Report:\r\n",
        b"MIME-Version: 1.0\r\n",
        _header("Content-Type", f'multipart/mixed; boundary="{boundary}"'),
        b"\r\n" + line + b"\r\n" + part.as_bytes() + b"\r\n" + line + b"\r\n",
        b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n",
        original + b"\r\n" + line + b"--\r\n",
    ]
    return b"".join(lines)


def subject_of(letter: Letter) -> str:
    """Return the subject: channel and conversation, and plainly when it was never sent."""
    marks = {"refused": "Not sent (refused): ", "held": "Held for approval: "}
    said = f"{marks.get(letter.outcome, '')}{letter.channel}: {letter.title}"
    return _plain(said)[:MAX_SUBJECT_CHARS]


def _report_lines(letter: Letter, domain: str) -> list[str]:
    return [
        f"Sender: {letter.sender.mail_address(domain)}",
        f"Subject: {subject_of(letter)}",
        f"Message-ID: {mail_id(letter.entry_id, domain, report=False)}",
        *(f"To: {party.mail_address(domain)}" for party in letter.recipients),
    ]


def _own_headers(letter: Letter, participant: str) -> dict[str, str]:
    said = {
        "X-Parley-Entry-Id": letter.entry_id,
        "X-Parley-Entry-Hash": letter.entry_hash,
        "X-Parley-Archive-Index": str(letter.index),
        "X-Parley-Archived-At": _date(letter.archived_at_utc_ms),
        "X-Parley-Kind": letter.kind,
        "X-Parley-Outcome": letter.outcome,
        "X-Parley-Channel": letter.channel,
        "X-Parley-Conversation-Id": letter.conversation_id,
        "X-Parley-Message-Id": letter.message_id,
        "X-Parley-Revision": str(letter.revision),
        "X-Parley-Justification": _plain(letter.justification),
        "X-Parley-Participant": participant,
    }
    return {name: value for name, value in said.items() if value}


def _header(name: str, *values: str) -> bytes:
    """Return one header of ASCII values, several of them as a list of addresses."""
    said = ",\r\n ".join(values) or "undisclosed-recipients:;"
    return f"{name}: {said}\r\n".encode("ascii")


def _encoded(name: str, value: str) -> str:
    """Return a header's text, in encoded words (RFC 2047) unless it is short and ASCII."""
    if value.isascii() and "=?" not in value and len(value) <= _UNFOLDED_CHARS:
        return value
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _address(party: Party, domain: str) -> str:
    name = _plain(party.name)
    if not name.isascii():
        shown = _encoded("From", name)
    else:
        shown = f'"{_QUOTED.sub(_ESCAPED, name)}"' if name else ""
    return f"{shown} <{party.mail_address(domain)}>".strip()


def _date(at_utc_ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_utc_ms // 1000, UTC))


def _boundary(entry_id: str, part: str) -> str:
    # "=_" stands in no quoted-printable or base64 body (RFC 2045, section 6.7).
    return f"=_{hashlib.sha256(f'{part} {entry_id}'.encode()).hexdigest()[:40]}"


def _media_type(media_type: str) -> tuple[str, str]:
    """Return type and subtype; what MIME would read as structure goes as plain bytes."""
    maintype, _, subtype = media_type.partition("/")
    if maintype.lower() in _WRAPPED_TYPES or not subtype:
        return "application", "octet-stream"
    return maintype, subtype


def _plain(text: str) -> str:
    """Return text fit for a header: no control character, no lone surrogate."""
    return _CONTROL.sub(" ", _encodable(text)).strip()


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
