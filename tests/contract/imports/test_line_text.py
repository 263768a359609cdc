"""LINE's exported texts are read in the languages phones have.

It never opens an export of a real person.
"""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import pytest

from contract.imports.line_text import read_line
from contract.imports.model import ImportedChat, ImportedKind, ImportRefused

TOKYO = ZoneInfo("Asia/Tokyo")


def chat_of(text: str) -> ImportedChat:
    """Read an export made by a phone in Tokyo."""
    return read_line(io.BytesIO(text.encode()), TOKYO)


def test_a_japanese_export_is_read() -> None:
    chat = chat_of(
        "\ufeff[LINE] 花子とのトーク履歴\n保存日時：2025/04/18 12:30\n\n2025/04/18(金)\n"
        "12:08\t花子\tこんにちは\n12:09\t太郎\t[写真]\n"
        "12:10\t\t花子がメッセージの送信を取り消しました\n"
        '12:11\t太郎\t"一行目\n二行目 ""引用"""\n'
        "2025/04/19(土)\n午後3:05\t花子\tまた\n"
    )
    hello, photo, unsent, quoted, later = chat.messages
    assert (chat.title, chat.participants) == ("花子", ("花子", "太郎"))
    assert (hello.text, hello.local_stamp) == ("こんにちは", "2025-04-18T12:08:00")
    assert (photo.missing_files, photo.text) == (1, "")
    assert unsent.kind is ImportedKind.SYSTEM
    assert quoted.text == '一行目\n二行目 "引用"'
    assert later.local_stamp == "2025-04-19T15:05:00"


def test_an_english_export_is_read() -> None:
    chat = chat_of(
        "[LINE] Chat history with Hanako\nSaved on: 04/18/2025, 12:30\n\nFri, 04/18/2025\n"
        "12:08 PM\tHanako\tHello\n12:09 PM\tTaro\tline one\nline two\n"
    )
    assert [each.text for each in chat.messages] == ["Hello", "line one\nline two"]
    assert chat.messages[0].local_stamp == "2025-04-18T12:08:00"


def test_a_quote_that_never_ends_is_what_the_person_typed() -> None:
    chat = chat_of(
        '[LINE] Chat history with A\nSaved\n\n2025/04/18(Fri)\n12:08\tA\t"so\n12:09\tA\tb\n'
    )
    assert [each.text for each in chat.messages] == ['"so', "b"]


@pytest.mark.parametrize(
    "text", ["", "hello", "[LINE] Chat history with A\n", "12:08\tA\tno title\n"]
)
def test_another_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(ImportRefused, match="LINE"):
        chat_of(text)


def test_signs_within_a_text_begin_no_line_of_the_export() -> None:
    chat = chat_of(
        "[LINE] 花子とのトーク履歴\n2025/04/18(金)\n"
        "12:08\t花子\tはい\u202812:09\t太郎\t承知しました\x8512:10\t太郎\tb\n"
    )
    assert [each.sender for each in chat.messages] == ["花子"]


def test_a_text_whose_lines_look_like_messages_is_told() -> None:
    head = "[LINE] 花子とのトーク履歴\n2025/04/18(金)\n"
    forged = chat_of(f'{head}12:08\t花子\t"はい\n12:09\t太郎\t承知しました"\n12:10\t太郎\tb\n')
    assert len(forged.messages) == 3
    assert any("Compare them with the phone." in note for note in forged.notes)
    plain = chat_of(f'{head}12:08\t花子\t"はい\n二"\n12:09\t太郎\t"一"\n12:10\t太郎\tb\n')
    assert plain.notes == ()
