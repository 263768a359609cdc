"""Rows of an invented inbox and timeline for the tests of models, delegates and views.

It never reads files, the clock or a store.
"""

from __future__ import annotations

from datetime import UTC, datetime

from app.domain.inbox import InboxRow
from app.domain.timeline import OutboxEntry, TimelineRow
from contract.ids import (
    AccountId,
    AttachmentId,
    ConversationId,
    MessageId,
)
from contract.states import DeliveryState, OutboxState
from contract.wire import (
    ArchiveRef,
    Attachment,
    Channel,
    Conversation,
    Direction,
    Message,
    MessageKind,
    Mode,
    Preview,
    Quote,
    Reaction,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def at(hour: int, minute: int, days_ago: int = 0) -> int:
    """Return a moment of the invented Saturday 21 November 2026 (UTC milliseconds)."""
    moment = datetime(2026, 11, 21, hour, minute, tzinfo=UTC)
    return int(moment.timestamp() * 1000) - days_ago * DAY_MS


NOW_UTC_MS = at(10, 43)


def inbox_row(
    number: int,
    title: str = "Hana Watanabe",
    text: str = "Hello",
    *,
    at_utc_ms: int = 0,
    channel: Channel = Channel.WHATSAPP,
    initials: str = "HW",
    color: int = 0,
    unread: int = 0,
    tags: tuple[str, ...] = (),
    mode: Mode = Mode.GOVERNED,
    closes_utc_ms: int | None = None,
    out: bool = False,
    draft: str = "",
    waiting: int = 0,
    refused: int = 0,
    version: int = 1,
) -> InboxRow:
    """Return one row; `number` names its conversation."""
    when = at_utc_ms or NOW_UTC_MS - number * 60_000
    preview = Preview(
        message_id=MessageId(f"m{number}"),
        direction=Direction.OUT if out else Direction.IN,
        text=text,
        at_utc_ms=when,
    )
    talk = Conversation(
        conversation_id=ConversationId(f"c{number}"),
        version=version,
        channel=channel,
        account_id=AccountId("a1"),
        title=title,
        mode=mode,
        color=color,
        initials=initials,
        tags=tags,
        last_activity_utc_ms=when,
        preview=preview,
        unread_count=unread,
        window_closes_at_utc_ms=closes_utc_ms,
    )
    return InboxRow(talk, draft, waiting, refused)


def sample_inbox() -> list[InboxRow]:
    """Return the rows of the drawn inbox, with a few harder ones below."""
    c = Channel
    row = inbox_row
    return [
        row(1, text="明日の約定確認をお願いします", at_utc_ms=at(10, 42), unread=2),
        row(
            2,
            "Marcus Feld",
            "Perfect, send me the term sheet please, and the annex with it",
            at_utc_ms=at(10, 31),
            unread=1,
            initials="MF",
            color=1,
        ),
        row(
            3,
            "Li Wei 李伟",
            "好的，明天上午十点开会",
            at_utc_ms=at(10, 12),
            unread=3,
            initials="李",
            color=2,
            channel=c.WECHAT,
            closes_utc_ms=NOW_UTC_MS + 2 * HOUR_MS + 60_000,
        ),
        row(
            4,
            "Ardent Capital · deal team",
            "Minutes attached",
            at_utc_ms=at(9, 58),
            out=True,
            initials="AC",
            color=3,
            channel=c.TELEGRAM,
        ),
        row(
            5,
            "Sofia Marin",
            "…",
            at_utc_ms=at(9, 40),
            draft="Regarding the coupon dates, we…",
            initials="SM",
            color=4,
            channel=c.SIGNAL,
        ),
        row(
            6,
            "Johan Berg",
            "STOP",
            at_utc_ms=at(16, 2, 1),
            tags=("opted_out",),
            initials="JB",
            color=5,
            channel=c.SMS,
        ),
        *_rarer_rows(),
    ]


def _rarer_rows() -> list[InboxRow]:
    c = Channel
    row = inbox_row
    return [
        row(
            7,
            "Priya Nair",
            "Thanks, received the statement",
            at_utc_ms=at(15, 2, 1),
            initials="PN",
            color=6,
            channel=c.IMESSAGE,
        ),
        row(
            8,
            "Oliver Grant",
            "Window closed — templates only from here on",
            initials="OG",
            at_utc_ms=at(9, 2, 1),
            color=7,
            closes_utc_ms=at(9, 2),
        ),
        row(
            9,
            "Camille Roux",
            "Voice message · 0:24",
            at_utc_ms=at(9, 2, 2),
            mode=Mode.NATIVE,
            initials="CR",
            color=8,
            channel=c.MATRIX,
        ),
        row(
            10,
            "Tomás Silva",
            "Consent requested · waiting",
            at_utc_ms=at(9, 2, 3),
            tags=("pending",),
            initials="TS",
            color=9,
            channel=c.TELEGRAM,
        ),
        row(
            11,
            "Dr. Maximiliane Freifrau von Hohenberg-Löwenstein und Wertheim-Rosenberg",
            "Sehr geehrte Frau Marchetti, die Rechtsschutzversicherungsgesellschaft schreibt…",
            at_utc_ms=at(9, 0, 4),
            unread=120,
            initials="MH",
            color=11,
            refused=1,
            closes_utc_ms=NOW_UTC_MS + 50 * 60_000,
        ),
        row(
            12,
            "مها الحسن",
            "شكرا جزيلا",
            at_utc_ms=at(9, 0, 40),
            initials="م",
            color=12,
            channel=c.LINE,
            waiting=2,
        ),
    ]


def message(
    number: int,
    text: str = "Hello",
    *,
    out: bool = False,
    at_utc_ms: int = 0,
    version: int = 1,
    kind: MessageKind = MessageKind.TEXT,
    state: DeliveryState | None = None,
    detail: str = "",
    archive: int | None = None,
    quote: Quote | None = None,
    reactions: tuple[Reaction, ...] = (),
    attachments: tuple[Attachment, ...] = (),
    edited_at_utc_ms: int | None = None,
    versions: int = 1,
    deleted: bool = False,
    author: str = "Hana Watanabe",
) -> Message:
    """Return one message; `number` names it and gives its place when no time is given."""
    when = at_utc_ms or at(9, 0) + number * 1000
    system = kind is MessageKind.SYSTEM
    return Message(
        message_id=MessageId(f"m{number}"),
        conversation_id=ConversationId("c1"),
        version=version,
        revision=1,
        direction=Direction.SYSTEM if system else Direction.OUT if out else Direction.IN,
        kind=kind,
        text=text,
        author_id="e1" if out else "p1",
        author_name="Elena Marchetti" if out else author,
        place_at_utc_ms=when,
        place_index=number,
        occurred_at_utc_ms=when,
        state=state,
        state_detail=detail,
        state_at_utc_ms=when,
        quote=quote,
        reactions=reactions,
        attachments=attachments,
        archive=None
        if archive is None
        else ArchiveRef(index=archive, entry_id="e", entry_hash="00", archived_at_utc_ms=when),
        edited_at_utc_ms=edited_at_utc_ms,
        versions_archived=versions,
        deleted=deleted,
    )


def timeline_row(number: int, text: str = "Hello", *, out: bool = False) -> TimelineRow:
    """Return a plain row without an outbox entry."""
    return TimelineRow(message(number, text, out=out))


def outbox_row(
    number: int,
    text: str,
    state: OutboxState,
    *,
    at_utc_ms: int = 0,
    undo_until_utc_ms: int = 0,
    detail: str = "",
    code: str = "",
) -> TimelineRow:
    """Return a row the backend does not know yet."""
    when = at_utc_ms or at(10, 38)
    entry = OutboxEntry(
        message_id=MessageId(f"m{number}"),
        revision=1,
        conversation_id=ConversationId("c1"),
        text=text,
        salt="0" * 64,
        state=state,
        composed_at_utc_ms=when,
        undo_until_utc_ms=undo_until_utc_ms,
        problem_code=code,
        problem_detail=detail,
    )
    return TimelineRow(message(number, text, out=True, at_utc_ms=when, version=0), entry)


def term_sheet() -> Attachment:
    """Return the drawn PDF."""
    return Attachment(
        attachment_id=AttachmentId("f1"),
        name="Indicative terms – JPY 2031.pdf",
        media_type="application/pdf",
        size_bytes=412_000,
        sha256="0" * 64,
        scan="clean",
    )


def sample_timeline() -> list[TimelineRow]:
    """Return the rows of the drawn timeline."""
    you = Quote(
        message_id=MessageId("m3"), author_name="You", text="Indicative terms – JPY 2031.pdf"
    )
    return [
        TimelineRow(
            message(
                1,
                "Recording notice accepted by client on 3 March 2026, 14:02 JST",
                kind=MessageKind.SYSTEM,
                at_utc_ms=at(10, 30),
            )
        ),
        TimelineRow(
            message(
                2,
                "おはようございます。昨日ご相談した社債の件、約定日は明日で間違いないでしょうか?",
                at_utc_ms=at(10, 36),
            )
        ),
        TimelineRow(
            message(
                3,
                "Good morning Hana-san — yes, trade date is tomorrow, settlement T+2. "
                "I have attached the indicative term sheet.",
                out=True,
                at_utc_ms=at(10, 38),
                state=DeliveryState.READ,
                archive=48218,
                attachments=(term_sheet(),),
            ),
            verified=True,
        ),
        TimelineRow(
            message(
                4,
                "Thank you! Could you confirm the coupon payment calendar as well?",
                at_utc_ms=at(10, 40),
                quote=you,
                reactions=(Reaction(emoji="👍", count=1),),
            )
        ),
        TimelineRow(message(5, "明日の約定確認をお願いします", at_utc_ms=at(10, 42))),
    ]


def state_timeline() -> list[TimelineRow]:
    """Return one row for each state a message can show."""
    s = DeliveryState
    hello = "Good morning, shall we speak at three?"
    return [
        TimelineRow(
            message(20, hello, out=True, state=s.SENT, archive=48219, at_utc_ms=at(10, 38)),
            verified=True,
        ),
        TimelineRow(
            message(
                21,
                "Attached is the allocation for the fund.",
                out=True,
                state=s.HELD,
                at_utc_ms=at(10, 38),
            )
        ),
        TimelineRow(
            message(
                22,
                "Please buy 2 000 at market.",
                out=True,
                state=s.UNKNOWN,
                archive=48220,
                at_utc_ms=at(10, 39),
            )
        ),
        TimelineRow(
            message(
                23,
                "Not through.",
                out=True,
                state=s.FAILED,
                archive=48221,
                detail="number not on WhatsApp",
                at_utc_ms=at(10, 39),
            )
        ),
        TimelineRow(
            message(24, "Hana sent a poll", kind=MessageKind.UNSUPPORTED, at_utc_ms=at(10, 40))
        ),
        TimelineRow(
            message(
                25,
                "Settlement on the 14th, please, see https://example.org/terms?id=7.",
                edited_at_utc_ms=at(10, 52),
                versions=2,
                at_utc_ms=at(10, 41),
            )
        ),
        TimelineRow(message(31, "مرحبا هنا، هل وصلت الرسالة؟", at_utc_ms=at(10, 41))),
        TimelineRow(message(26, "", deleted=True, at_utc_ms=at(10, 41), versions=2)),
        TimelineRow(
            message(
                27,
                "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
                "verordnungsüberarbeitungskommission ist zuständig.\n\n你好，请确认",
                at_utc_ms=at(10, 42),
            )
        ),
        outbox_row(28, hello, OutboxState.QUEUED, at_utc_ms=at(10, 42)),
        outbox_row(
            29,
            "Attached is the allocation for the fund.",
            OutboxState.REFUSED,
            detail="K. Tan: “use the template”",
            at_utc_ms=at(10, 42),
        ),
        outbox_row(
            30, hello, OutboxState.UNDO, undo_until_utc_ms=NOW_UTC_MS + 4000, at_utc_ms=at(10, 43)
        ),
    ]
