"""Telegram Desktop's JSON is read: one chat or an account, whatever its texts are made of.

It never opens an export of a real person.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from contract.imports.identity import message_identities
from contract.imports.model import ImportedChat, ImportedKind, ImportedReaction, ImportRefused
from contract.imports.telegram import read_telegram

AT_S = 1_784_624_462


def message(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a message as the export writes it."""
    return {
        "id": number,
        "type": "message",
        "date": "2026-07-21T09:01:02",
        "date_unixtime": str(AT_S + number),
        "from": "Ana",
        "from_id": "user42",
        "text": "hello",
    } | fields


def chat_of(*messages: dict[str, Any], **fields: Any) -> ImportedChat:
    """Return the one chat of an export."""
    whole = {"name": "Ana", "type": "personal_chat", "id": 7, "messages": messages} | fields
    (chat,) = read_telegram(io.BytesIO(json.dumps(whole).encode()))
    return chat


def test_texts_of_pieces_are_joined_as_they_read() -> None:
    pieces = [
        "see ",
        {"type": "link", "text": "https://example.org"},
        " or ",
        {"type": "bold", "text": "me"},
    ]
    (found,) = chat_of(message(text=pieces)).messages
    assert found.text == "see https://example.org or me"
    assert found.at_utc_ms == (AT_S + 1) * 1000


def test_files_that_were_not_exported_are_counted() -> None:
    held = message(1, photo="photos/photo_1.jpg", text="")
    left = message(
        2, file="(File not included. Change data exporting settings to download.)", text=""
    )
    chat = chat_of(held, left)
    assert chat.messages[0].files == ("photos/photo_1.jpg",)
    assert chat.messages[1].missing_files == 1
    assert "1 files were left out" in chat.notes[0]


def test_replies_reactions_and_edits_are_kept() -> None:
    (found,) = chat_of(
        message(
            5,
            reply_to_message_id=3,
            edited_unixtime=str(AT_S + 60),
            reactions=[
                {
                    "type": "emoji",
                    "count": 1,
                    "emoji": "👍",
                    "recent": [{"from": "Ben", "from_id": "user1"}],
                },
                {"type": "paid", "count": 1},
            ],
        )
    ).messages
    assert found.quoted_native_id == "3"
    assert found.reactions == (ImportedReaction(sender="Ben", emoji="👍"),)
    assert found.edited_at_utc_ms == (AT_S + 60) * 1000
    assert not found.edited  # a reaction sets the same time


def test_a_poll_is_read_and_what_has_an_unknown_shape_hides_no_other() -> None:
    poll = {"question": "Which day?", "answers": [{"text": "Monday", "voters": 1}]}
    chat = chat_of(
        message(1, text="", poll=poll),
        message(2, text={"new": "form"}),
        message(3, text="after"),
        {"id": "no number"},
    )
    assert [each.text for each in chat.messages] == ["Poll: Which day?\n· Monday", "", "after"]
    assert [each.native_id for each in chat.messages] == ["1", "2", "3"]
    assert chat.messages[1].sender == "Ana"
    assert chat.notes[0].startswith("1 messages tell no time")


def test_service_messages_are_the_apps_and_calls_are_calls() -> None:
    chat = chat_of(
        {
            "id": 1,
            "type": "service",
            "date_unixtime": str(AT_S),
            "actor": "Ana",
            "action": "pin_message",
            "text": "",
        },
        {
            "id": 2,
            "type": "service",
            "date_unixtime": str(AT_S),
            "actor": "Ana",
            "action": "phone_call",
            "text": "",
        },
    )
    assert [each.kind for each in chat.messages] == [ImportedKind.SYSTEM, ImportedKind.CALL]
    assert chat.messages[0].text == "Ana pin message"
    assert chat.participants == ()


def test_a_whole_account_tells_whose_phone_it_was() -> None:
    by_ben = {"from": "Ben", "from_id": "user1"}
    chats: list[dict[str, Any]] = [
        {"name": "Ana", "type": "personal_chat", "id": 7, "messages": [message(1)]},
        {
            "name": None,
            "type": "private_group",
            "id": 8,
            "messages": [message(1, **{"from": None})],
        },
        {"name": "empty", "type": "personal_chat", "id": 9, "messages": []},
    ]
    chats[0]["messages"] = [message(1), message(2, **by_ben)]
    whole = {"personal_information": {"user_id": 1}, "chats": {"list": chats}}
    first, second = read_telegram(io.BytesIO(json.dumps(whole).encode()))
    assert first.owner == "Ben"
    assert [each.outgoing for each in first.messages] == [False, True]
    assert second.is_group
    assert second.messages[0].sender == "user42"


def test_invalid_escapes_of_old_versions_are_mended() -> None:
    raw = json.dumps({"name": "A", "type": "personal_chat", "id": 7, "messages": [message()]})
    raw = raw.replace("hello", "a\\x1Fb \\\\x41")
    (chat,) = read_telegram(io.BytesIO(raw.encode()))
    assert chat.messages[0].text == "a\x1fb \\x41"


def test_a_message_keeps_its_identity_when_it_is_edited() -> None:
    before = message_identities(chat_of(message(5)))
    after = message_identities(chat_of(message(5, text="changed"), name="New name"))
    assert before == after


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"<html>", b'{"chats": {"list": 3}}'])
def test_another_file_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(ImportRefused, match=r"result\.json"):
        read_telegram(io.BytesIO(content))
