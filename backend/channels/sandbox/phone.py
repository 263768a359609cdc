"""What a sandbox client does with a message: the timetable of receipts, typing and the answer.

It never waits and never writes: it returns plans for the peer to keep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from backend.channels.contract import Capabilities
from backend.channels.events import MessageIn, Receipt, Sender, Typing
from contract.states import DeliveryState

SENT_AFTER_S = 0.1
DELIVERED_AFTER_S = 0.4
READ_AFTER_S = 1.0
TYPING_AFTER_S = 1.2
ANSWER_AFTER_S = 2.0

# "echo: text" is answered with that very text; "#silent" anywhere is not answered.
_ECHO = re.compile(r"^\s*echo:\s*(.+)$", re.DOTALL | re.IGNORECASE)
_SILENT = "#silent"
_KANA = re.compile("[\u3040-\u30ff]")
_HAN = re.compile("[\u4e00-\u9fff]")
_GERMAN = re.compile(r"[äöüß]|\b(und|der|die|das|nicht|ich|wir|bitte|danke)\b", re.IGNORECASE)


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One client's phone on one account; `answers` is false for a client who never writes back."""

    account_id: str
    id_type: str
    address: str
    name: str
    language: str
    answers: bool = True


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Something the client's phone will do: `body` goes into the vendor's queue when due."""

    after_s: float
    kind: str
    body: bytes


def receipt_plans(
    capabilities: Capabilities, client: Client, external_id: str, opaque_key: str, now_utc_ms: int
) -> tuple[Plan, ...]:
    """Return the receipts this channel gives for one message, in the order of their times."""
    steps = (
        (capabilities.receipt_sent, SENT_AFTER_S, DeliveryState.SENT),
        (capabilities.receipt_delivered, DELIVERED_AFTER_S, DeliveryState.DELIVERED),
        (capabilities.receipt_read, READ_AFTER_S, DeliveryState.READ),
    )
    return tuple(
        Plan(
            after_s=after_s,
            kind="receipt",
            body=msgspec.json.encode(
                Receipt(
                    dedupe_key=f"{external_id}:{state.value}",
                    at_utc_ms=now_utc_ms + int(after_s * 1000),
                    sender=_sender(client),
                    state=state,
                    external_id=external_id,
                    opaque_key=opaque_key,
                )
            ),
        )
        for given, after_s, state in steps
        if given
    )


def answer_plans(
    capabilities: Capabilities, client: Client, text: str, answer_id: str, now_utc_ms: int
) -> tuple[Plan, ...]:
    """Return the client's typing and answer to `text`; empty when the client stays silent.

    `answer_id` becomes the answer's vendor id; it also chooses among the ready texts.
    """
    words = answer_text(client, text, answer_id)
    if not words:
        return ()
    sender = _sender(client)
    at_utc_ms = now_utc_ms + int(ANSWER_AFTER_S * 1000)
    typing = Typing(
        dedupe_key=f"{answer_id}:typing", at_utc_ms=now_utc_ms, sender=sender, typing=True
    )
    answer = MessageIn(
        dedupe_key=answer_id,
        at_utc_ms=at_utc_ms,
        sender=sender,
        external_id=answer_id,
        text=words,
        chat=client.address if client.id_type == "chat" else "",
    )
    plans = [Plan(after_s=ANSWER_AFTER_S, kind="answer", body=msgspec.json.encode(answer))]
    if capabilities.typing:
        plans.insert(
            0, Plan(after_s=TYPING_AFTER_S, kind="typing", body=msgspec.json.encode(typing))
        )
    return tuple(plans)


def answer_text(client: Client, text: str, answer_id: str) -> str:
    """Return what the client answers to `text`; empty for silence."""
    if not client.answers or _SILENT in text:
        return ""
    asked = _ECHO.match(text)
    if asked is not None:
        return asked.group(1).strip()
    texts = answers_by_language()
    choices = texts.get(language_of(text) or client.language, texts["en"])
    return choices[sum(answer_id.encode()) % len(choices)]


def language_of(text: str) -> str:
    """Guess the language a text is written in: ja, zh, de, or empty when nothing tells."""
    if _KANA.search(text):
        return "ja"
    if _HAN.search(text):
        return "zh"
    return "de" if _GERMAN.search(text) else ""


@cache
def answers_by_language() -> Mapping[str, Sequence[str]]:
    """Return the clients' ready answers by language, from the sample workspace."""
    import resources

    path = Path(resources.__file__).parent / "sample" / "answers.json"
    loaded: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _sender(client: Client) -> Sender:
    return Sender(id_type=client.id_type, address=client.address, name=client.name)
