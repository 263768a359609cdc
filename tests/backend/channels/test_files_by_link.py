"""Channels whose vendors fetch files: LINE's and the SMS service's messages name signed links.

It never fetches one: tests/backend/test_media.py does.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import msgspec
import pytest

from backend.channels import faults
from backend.channels.contract import Attempt, OutboundFile
from backend.channels.file_links import SignedFileLinks
from backend.channels.line.sound import duration_ms
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp, VendorReply
from tests.backend.channels.conformance import outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend.channels.test_capabilities import Desk, account_of

PUBLIC = "https://bank.test"
LINKS = SignedFileLinks(PUBLIC, b"k" * 32)
ATTEMPT = Attempt(attempt_id=f"{1:032x}", n=1, key="m-1.0", started_at_utc_ms=1)
BOTH = pytest.mark.parametrize("name", ["line", "sms_http"])


def linkable(n: int, name: str, media_type: str, content: bytes = b"bytes") -> OutboundFile:
    """Make a file that a link can name."""
    file = outbound_file(name, media_type, content)
    return msgspec.structs.replace(file, attachment_id=f"{n:08d}-0000-7000-8000-000000000000")


def of_size(file: OutboundFile, size_bytes: int) -> OutboundFile:
    """Return a file that says it has a size."""
    return msgspec.structs.replace(file, size_bytes=size_bytes)


PHOTO = linkable(1, "a.jpg", "image/jpeg")
BIG_PHOTO = of_size(linkable(2, "b.png", "image/png"), 2_000_000)
FILM = of_size(linkable(3, "c.mp4", "video/mp4"), 30_000_000)


def m4a(lasts_ms: int, *, version: int = 0) -> bytes:
    """Return as much of an M4A sound as tells its length."""
    times = struct.pack(">QQIQ" if version else ">IIII", 0, 0, 1000, lasts_ms)
    header = bytes([version, 0, 0, 0]) + times
    movie = struct.pack(">I4s", len(header) + 8, b"mvhd") + header
    return b"\0\0\0\x0cftypM4A " + struct.pack(">I4s", len(movie) + 8, b"moov") + movie


class Recorder(VendorHttp):
    """The way to a vendor that takes everything, and keeps the last request's body."""

    body: bytes = b""

    async def _answer(self, request, repeatable, most_bytes):  # type: ignore[no-untyped-def]  # as the base
        self.body = request.content
        answer = {"sid": "SM1", "sentMessages": [{"id": "s1", "quoteToken": "q"}]}
        return VendorReply(200, msgspec.json.encode(answer), {})


class LinkingDesk(Desk):
    """An account of a module in a firm that has a public address."""

    def __init__(self, name: str, http: Recorder) -> None:
        super().__init__(name, http)
        settings = {
            "channel_access_token": "t",
            "account_sid": "AC0",
            "auth_token": "t",
            "from_number": "+15550001111",
        }
        context = ChannelContext(lambda _: settings, http, lambda: 1, PUBLIC, LINKS)
        self.http = http
        self.connector = load_module(name).connect(context)

    async def send(self, *files: OutboundFile, text: str = "", **fields: object) -> bytes:
        """Send a message with files; returns the body that the vendor got."""
        message = changed(outbound(self), text=text, attachments=files, **fields)
        assert self.connector.outbound.preflight(message, 1) is None
        await self.connector.outbound.send(message, ATTEMPT)
        return self.http.body

    def reason(self, *files: OutboundFile, text: str = "", **fields: object) -> str:
        """Return why a message may not go."""
        message = changed(outbound(self), text=text, attachments=files, **fields)
        blocked = self.connector.outbound.preflight(message, 1)
        return "" if blocked is None else blocked.reason


@pytest.fixture
async def desk(name: str) -> AsyncIterator[LinkingDesk]:
    """Yield an account of the module named."""
    async with Recorder(verify=False) as http:
        yield LinkingDesk(name, http)


def links_of(*files: OutboundFile) -> list[str]:
    return [LINKS.link(file, ATTEMPT) for file in files]


@BOTH
async def test_files_need_a_public_address_and_the_refusal_says_so(name: str) -> None:
    async with account_of(name, public_url="") as desk:
        assert not desk.able.media
        assert not desk.able.for_client().attachments
        photo = changed(outbound(desk), attachments=(PHOTO,))
        blocked = desk.connector.outbound.preflight(photo, 1)
        assert blocked is not None
        assert "public address" in blocked.reason
        assert desk.connector.outbound.preflight(outbound(desk), 1) is None
        with pytest.raises(faults.Refusal):
            await desk.connector.outbound.send(photo, ATTEMPT)


@BOTH
async def test_with_a_public_address_files_are_on(name: str) -> None:
    async with account_of(name) as desk:
        assert desk.able.media
        assert desk.able.media_by_url
        assert desk.able.for_client().attachments


@pytest.mark.parametrize("name", ["line"])
async def test_line_gets_the_text_first_then_each_file_with_a_preview(desk: LinkingDesk) -> None:
    body = msgspec.json.decode(await desk.send(PHOTO, BIG_PHOTO, FILM, text="Look"))
    photo, big, film = links_of(PHOTO, BIG_PHOTO, FILM)
    cover = f"{PUBLIC}/media/cover.png"
    assert body["messages"] == [
        {"type": "text", "text": "Look"},
        {"type": "image", "originalContentUrl": photo, "previewImageUrl": photo},
        {"type": "image", "originalContentUrl": big, "previewImageUrl": cover},
        {"type": "video", "originalContentUrl": film, "previewImageUrl": cover},
    ]


@pytest.mark.parametrize("name", ["line"])
async def test_line_is_told_how_long_a_sound_lasts(desk: LinkingDesk) -> None:
    sound = linkable(4, "d.m4a", "audio/mp4", m4a(61_500))
    (message,) = msgspec.json.decode(await desk.send(sound))["messages"]
    assert message == {
        "type": "audio",
        "originalContentUrl": links_of(sound)[0],
        "duration": 61_500,
    }
    with pytest.raises(faults.ContentInvalid):
        await desk.send(linkable(5, "e.m4a", "audio/x-m4a", b"no sound"))


@pytest.mark.parametrize("name", ["line"])
def test_line_refuses_beforehand_what_a_push_does_not_hold(desk: LinkingDesk) -> None:
    assert "five" in desk.reason(*[PHOTO] * 5, text="one more")
    assert "words" in desk.reason(PHOTO, quote_external_id="m1")
    assert desk.reason(linkable(6, "f.pdf", "application/pdf"))
    assert desk.reason(linkable(7, "g.gif", "image/gif"))
    assert desk.reason(of_size(PHOTO, 10_000_001))


@pytest.mark.parametrize("name", ["sms_http"])
async def test_sms_service_gets_a_link_for_each_picture(desk: LinkingDesk) -> None:
    form = parse_qs((await desk.send(PHOTO, BIG_PHOTO, text="Look")).decode())
    assert form["MediaUrl"] == links_of(PHOTO, BIG_PHOTO)
    assert form["Body"] == ["Look"]
    assert "Body" not in parse_qs((await desk.send(PHOTO)).decode())


@pytest.mark.parametrize("name", ["sms_http"])
def test_sms_refuses_beforehand_what_an_mms_does_not_hold(desk: LinkingDesk) -> None:
    assert "ten" in desk.reason(*[PHOTO] * 11)
    assert "5 MB" in desk.reason(*[BIG_PHOTO] * 3)
    assert desk.reason(FILM)


def test_link_is_the_same_for_one_attempt_and_names_no_file_in_clear() -> None:
    (link,) = set(links_of(PHOTO, PHOTO))
    assert PHOTO.name not in link
    assert PHOTO.attachment_id not in link
    again = msgspec.structs.replace(ATTEMPT, attempt_id=f"{2:032x}")
    assert LINKS.link(PHOTO, again) != link


def test_length_of_a_sound_is_read_from_both_versions_and_never_guessed() -> None:
    assert duration_ms(m4a(1234)) == 1234
    assert duration_ms(m4a(2**33, version=1)) == 2**33
    whole = m4a(1234)
    for end in range(len(whole)):
        assert duration_ms(whole[:end]) is None
    for data in (b"ID3\4" + bytes(40), bytes(64), whole.replace(b"mvhd", b"mvhx")):
        assert duration_ms(data) is None
