"""Tests of reading links of the scheme parley. They never open one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.links import (
    ParleyLink,
    is_link,
    link_to_conversation,
    link_to_message,
    parse_link,
)
from contract.ids import ConversationId, MessageId

TALK = ConversationId("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
SAID = MessageId("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c")


def test_what_is_copied_is_what_is_read() -> None:
    assert parse_link(link_to_conversation(TALK)) == ParleyLink(conversation_id=TALK)
    assert parse_link(link_to_message(SAID)) == ParleyLink(message_id=SAID)


@pytest.mark.parametrize(
    "text",
    [
        f"parley:conversation/{TALK}",
        f"PARLEY://Conversation/{TALK}/",
        f"parley://conversation/{TALK}/",
    ],
)
def test_forms_that_browsers_make_of_it_are_read(text: str) -> None:
    assert parse_link(text) == ParleyLink(conversation_id=TALK)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "parley:",
        "parley://",
        "parley://conversation/",
        "parley://conversation",
        f"https://conversation/{TALK}",
        f"parley://conversation/{TALK}?x=1",
        f"parley://conversation/{TALK}#x",
        f"parley://user@conversation/{TALK}",
        f"parley://conversation/../{TALK}",
        "parley://conversation/%2e%2e",
        "parley://conversation/a b",
        'parley://conversation/a" --tour "x',
        "parley://conversation/a;rm",
        "parley://conversation/a\n",
        "parley://conversation/ä",
        "parley://settings/x",
        "parley://conversation/" + "a" * 65,
        "parley://conversation/-option",
        " parley://conversation/a",
    ],
)
def test_anything_else_is_no_link(text: str) -> None:
    assert parse_link(text) is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader_or_gets_an_odd_id_through(text: str) -> None:
    for given_text in (text, f"parley://message/{text}"):
        found = parse_link(given_text)
        if found is not None:
            assert found.message_id or found.conversation_id
            assert is_link(given_text)
            named = found.message_id or found.conversation_id or ""
            assert named.isascii() and all(one.isalnum() or one in "-_" for one in named)
