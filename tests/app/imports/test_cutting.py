"""Of a file of several chats only the chosen one leaves this computer.

They never use a network or an export of a real person.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.domain.imports import ReadAs
from app.imports.cutting import cut
from app.imports.reading import Watch, read_export
from contract.imports.identity import message_identities
from contract.imports.model import Source
from tests.app.imports.files import chat_db, telegram_json, whatsapp_zip

UTC = ReadAs("UTC")
SMS = """<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>
<smses count="3">
  <sms address="+33611111111" date="1771059600000" type="1" body="h&#233; &amp; &quot;ho&quot;"
    contact_name="Camille Roux" />
  <sms address="+33622222222" date="1771059600001" type="2" body="private" contact_name="Mamma" />
  <mms address="+33611111111" date="1771059600002" msg_box="1" m_id="m1"><parts>
    <part ct="text/plain" text="with a picture" /><part ct="image/png" cl="a.png" data="aGk=" />
  </parts></mms>
</smses>"""


def _sms(folder: Path) -> Path:
    path = folder / "sms.xml"
    path.write_text(SMS, "utf-8")
    return path


@pytest.mark.parametrize("write", [telegram_json, _sms, chat_db])
def test_the_cut_file_holds_the_chosen_chat_and_no_other(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path = write(tmp_path)
    whole = read_export(path, UTC, Watch(lambda _: None))
    assert len(whole.chats) == 2
    chosen = next(chat for chat in whole.chats if chat.title in {"Camille Roux", "+33611111111"})
    to = tmp_path / "cut"
    cut(path, whole.source, chosen.key, to)
    alone = read_export(to, UTC, Watch(lambda _: None))
    assert [chat.key for chat in alone.chats] == [chosen.key]
    assert message_identities(alone.chats[0]) == message_identities(chosen)
    assert alone.chats[0].messages == chosen.messages
    for private in (b"Mamma", b"mamma", b"private", b"33622222222"):
        assert private not in to.read_bytes()
    first = to.read_bytes()
    cut(path, whole.source, chosen.key, to)
    assert to.read_bytes() == first


def test_what_can_not_be_divided_is_refused(tmp_path: Path) -> None:
    path = whatsapp_zip(tmp_path)
    for source in (Source.IMESSAGE, Source.TELEGRAM_JSON, Source.SMS_BACKUP):
        with pytest.raises(Refused, match="divided"):
            cut(path, source, "x", tmp_path / "cut")
