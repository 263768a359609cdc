"""The XML of SMS Backup & Restore is read as a stream, and no entity of it is believed.

It never opens a backup of a real person.
"""

from __future__ import annotations

import io

import pytest

from contract.imports.model import ImportedChat, ImportRefused
from contract.imports.sms_backup import read_sms_backup

HEAD = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<!-- made -->\n"


def chats_of(body: str) -> tuple[ImportedChat, ...]:
    """Read a backup with these elements."""
    return read_sms_backup(io.BytesIO(f'{HEAD}<smses count="9">{body}</smses>'.encode()))


def test_each_number_is_a_chat_with_both_directions() -> None:
    (ana, unknown) = chats_of(
        '<sms address="+41791234567" date="1784624462000" type="1" body="Hi &amp; &#128077;"'
        ' contact_name="Ana" read="1" subject="null"/>'
        '<sms address="+41791234567" date="1784624463000" type="2" body="Hello" '
        ' contact_name="Ana"/>'
        '<sms address="12345" date="1784624464000" type="1" body="null" contact_name="(Unknown)"/>'
    )
    assert (ana.title, ana.key) == ("Ana", "+41791234567")
    assert [(each.text, each.outgoing) for each in ana.messages] == [
        ("Hi & 👍", False), ("Hello", True),
    ]  # fmt: skip
    assert (unknown.title, unknown.messages[0].text) == ("12345", "")


def test_messages_of_several_parts_keep_text_and_files() -> None:
    (chat,) = chats_of(
        '<mms address="+1~+2" date="1784624462000" msg_box="1" m_id="x1" sub="null"><parts>'
        '<part ct="application/smil" text="s"/><part ct="text/plain" text="Look"/>'
        '<part ct="image/jpeg" cl="house.jpg" data="AAAA"/></parts>'
        '<addrs><addr address="+2" type="137"/><addr address="+1" type="151"/></addrs></mms>'
    )
    (message,) = chat.messages
    assert chat.is_group
    assert (message.text, message.sender, message.native_id) == ("Look", "+2", "x1")
    assert message.files[0].endswith("-house.jpg")


def test_a_document_that_defines_entities_is_refused() -> None:
    bomb = '<!DOCTYPE smses [<!ENTITY a "aaaa">]><smses><sms date="1" body="&a;"/></smses>'
    with pytest.raises(ImportRefused):
        read_sms_backup(io.BytesIO(bomb.encode()))


@pytest.mark.parametrize(
    "text", ["", "x", "<calls/>", "<smses>", "<smses/>", "<smses><sms/></smses>"]
)
def test_another_file_is_refused_in_words(text: str) -> None:
    with pytest.raises(ImportRefused, match="SMS Backup"):
        read_sms_backup(io.BytesIO(text.encode()))


def test_a_large_backup_is_never_held_as_a_tree() -> None:
    one = '<sms address="1" date="1784624462000" type="1" body="x"/>'
    (chat,) = chats_of(one * 60_000)
    assert len(chat.messages) == 60_000


def test_what_tells_no_time_is_counted_in_the_notes() -> None:
    (chat,) = chats_of(
        '<sms address="+1" date="1784624462000" type="1" body="a"/>'
        '<sms address="+1" date="999999999999999" type="1" body="b"/>'
        '<sms address="+1" date="null" type="1" body="c"/>'
    )
    assert [each.text for each in chat.messages] == ["a"]
    assert chat.notes == ("2 messages tell no time and could not be placed.",)
