"""Readers of exports that are not ours find the same in them as ours do.

It never imports one into this process.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from zoneinfo import ZoneInfo

import pytest

from contract.imports.model import ImportedKind, Source
from contract.imports.opening import read_chats
from contract.imports.typed_text import text_of_typedstream
from tests.channels.oracles import ask
from tests.channels.peers import require_peer
from tests.contract.imports.databases import typedstream

pytestmark = pytest.mark.timeout(600)
PARSE = """
const { parseString } = require('whatsapp-chat-parser');
const told = parseString(require('fs').readFileSync(0, 'utf8'), { parseAttachments: true });
console.log(JSON.stringify(told.map(one => [
  one.author, one.message, [one.date.getFullYear(), one.date.getMonth() + 1, one.date.getDate(),
  one.date.getHours(), one.date.getMinutes(), one.date.getSeconds()]])));
"""
IPHONE = """[21/07/2026, 09:01:02] Ana: Guten Morgen
[21/07/2026, 09:01:40] Elena Marchetti: two
lines, and a colon: here
[31/07/2026, 23:59:59] Ana: 約定 😀
[01/08/2026, 00:00:00] Elena Marchetti: [brackets] 12:30 - no head
"""
ANDROID = """7/21/26, 9:01 AM - Ana: Good morning
7/21/26, 12:00 PM - Elena: noon
7/31/26, 12:15 AM - Ana: after midnight
continued
8/1/26, 11:59 PM - +44 7700 900145: late
"""


@pytest.mark.parametrize("text", [IPHONE, ANDROID], ids=["iphone", "android"])
def test_whatsapp_chat_parser_reads_the_same(text: str) -> None:
    peer = require_peer("whatsapp-chat-parser")
    node = shutil.which("node")
    assert node is not None, "Node.js is not installed"
    told = subprocess.run(
        [node, "-e", PARSE],
        input=text.rstrip(),
        capture_output=True,
        text=True,
        cwd=peer,
        timeout=300,
        check=True,
    )
    zone = ZoneInfo("UTC")
    chat = read_chats(io.BytesIO(text.encode()), Source.WHATSAPP_TEXT, "x.txt", zone)[0]
    ours = [
        [each.sender, each.text, [int(part) for part in _numbers(each.local_stamp)]]
        for each in chat.messages
        if each.kind is ImportedKind.MESSAGE
    ]
    assert ours == json.loads(told.stdout)


def test_pytypedstream_reads_the_same() -> None:
    texts = ["", "hi", "é" * 100, "x" * 127, "y" * 128, "約" * 20_000]
    streams = [typedstream(text) for text in texts]
    assert [text_of_typedstream(stream) for stream in streams] == texts
    code = """
from typedstream.stream import TypedStreamReader
result = []
for each in data:
    with TypedStreamReader.from_data(bytes.fromhex(each)) as reader:
        result.append(next(e for e in reader if isinstance(e, bytes)).decode())
"""
    assert ask(code, [stream.hex() for stream in streams]) == texts


def _numbers(stamp: str) -> list[str]:
    return stamp.replace("T", "-").replace(":", "-").split("-")
