"""Owns the one confirmation that answers an opt-out: its words and the time within which it may go.

It never sends a second one, and it holds nothing but the confirmation itself.

Source: 47 CFR 64.1200(a)(12): one text within five minutes, without marketing.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select

from backend.storage.bulk import Prepared
from backend.storage.supervision_tables import optout_confirmations
from backend.storage.tables import firms

WITHIN_MS = 5 * 60_000
_DEADLINE = Prepared(
    select(optout_confirmations.c.send_before_utc_ms).where(
        optout_confirmations.c.message_id == bindparam("id")
    ),
    "id",
)
_WORDS = {
    "de": "{firm}: Sie sind abgemeldet und erhalten hier keine Nachrichten mehr von uns.",
    "en": "{firm}: You are unsubscribed and will get no more messages from us here.",
    "es": "{firm}: Ha cancelado la suscripción y no recibirá más mensajes nuestros aquí.",
    "fr": "{firm} : vous êtes désinscrit et ne recevrez plus de messages de notre part ici.",
    "it": "{firm}: la disiscrizione è avvenuta, qui non riceverà più nostri messaggi.",
    "ja": "{firm}：配信を停止しました。今後こちらにメッセージをお送りすることはありません。",
    "pt": "{firm}: o cancelamento foi feito e não receberá mais mensagens nossas aqui.",
    "zh": "{firm}：您已退订，我们不会再在此向您发送消息。",
    "zh-hant": "{firm}：您已退訂，我們不會再在此向您傳送訊息。",
}


def confirmation_text(connection: Connection, firm_id: str, language: str) -> str:
    """Return the confirmation in the client's language, in English where it has none."""
    name: str = connection.execute(
        select(firms.c.display_name).where(firms.c.firm_id == firm_id)
    ).scalar_one()
    spoken = language.lower()
    words = _WORDS.get(spoken) or _WORDS.get(spoken.partition("-")[0], _WORDS["en"])
    return words.format(firm=name)


def note_confirmation(
    connection: Connection,
    firm_id: str,
    message_id: str,
    conversation_id: str,
    opted_out_at_utc_ms: int,
) -> None:
    """Remember that a message is the confirmation of an opt-out, which ends its time, too."""
    connection.execute(
        insert(optout_confirmations).values(
            message_id=message_id,
            firm_id=firm_id,
            conversation_id=conversation_id,
            opted_out_at_utc_ms=opted_out_at_utc_ms,
            send_before_utc_ms=opted_out_at_utc_ms + WITHIN_MS,
        )
    )


def confirmation_deadline(connection: Connection, message_id: str) -> int | None:
    """Return until when a confirmation may be sent; None for any other message."""
    return _DEADLINE.scalar(connection, message_id)
