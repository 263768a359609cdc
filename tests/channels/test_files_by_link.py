"""Files out by link, from an employee's upload to vendors who fetch them from a firm's backend.

Prism judges by LINE's and Twilio's own descriptions what each was asked to carry; it never leaves
loopback.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.ids import AttachmentId
from tests.backend_client.loopback_server import LoopbackServer
from tests.channels.peers import free_port
from tests.channels.test_prism import prism
from tests.support.firm_backend import FirmBackend
from tests.support.served_backend import archive_is_sound
from tests.support.submissions import submit_on
from tests.support.vectors import require_vectors
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(600)
ANNA = "emp-anna"
SID = f"AC{'0' * 32}"
LINE_ID, PHONE = "U" + "a" * 32, "+15550002222"
NOTICE = "Bank of Tests:"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 5_000
_MOVIE_HEADER = bytes(4) + struct.pack(">IIII", 0, 0, 1000, 61_500)
_MOVIE = struct.pack(">I4s", len(_MOVIE_HEADER) + 8, b"mvhd") + _MOVIE_HEADER
SOUND = b"\0\0\0\x0cftypM4A " + struct.pack(">I4s", len(_MOVIE) + 8, b"moov") + _MOVIE
_PASSED_ON = ("authorization", "content-type", "x-line-retry-key")


class FetchingVendor:
    """LINE and the SMS service: prism decides whether they take a message, then they fetch.

    `refused` holds prism's words, `fetched` the answers by address: HEAD first, then GET. `pushed`
    and `texted` hold what the last try of each message carried; a slow one is followed by another.
    """

    def __init__(self, line_url: str, sms_url: str) -> None:
        self.refused: list[str] = []
        self.fetched: dict[str, httpx.Response] = {}
        self.pushed: list[list[dict[str, Any]]] = []
        self.texted: list[list[str]] = []
        self._line_url, self._sms_url = line_url, sms_url
        self.server = LoopbackServer(
            Starlette(
                routes=[
                    Route("/v2/bot/message/push", self.line, methods=["POST"]),
                    Route("/2010-04-01/Accounts/{sid}/Messages.json", self.sms, methods=["POST"]),
                ]
            )
        )

    async def line(self, request: Request) -> Response:
        """Take a push."""
        objects = json.loads(await request.body())["messages"]
        self.pushed.append(objects)
        links = [
            each[name]
            for each in objects
            for name in ("originalContentUrl", "previewImageUrl")
            if name in each
        ]
        return await self._take(self._line_url, request, links)

    async def sms(self, request: Request) -> Response:
        """Take a message."""
        links = parse_qs((await request.body()).decode()).get("MediaUrl", [])
        self.texted.append(links)
        return await self._take(self._sms_url, request, links)

    async def _take(self, judge_url: str, request: Request, links: list[str]) -> Response:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
            url, body = f"{judge_url}{request.url.path}", await request.body()
            said = await client.post(url, content=body, headers=headers)
            if not said.is_success:
                self.refused.append(said.text)
            for link in links:
                head = await client.head(link)
                self.fetched[link] = await client.get(link)
                assert head.headers["content-length"] == str(len(self.fetched[link].content))
        return Response(said.content, said.status_code, media_type="application/json")


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FetchingVendor]:
    """Run both services."""
    line_folder, sms_folder = tmp_path_factory.mktemp("line"), tmp_path_factory.mktemp("sms")
    with (
        prism("line/line-oneof.yml", line_folder) as line_url,
        prism(str(_twilio_said_in_full(sms_folder)), sms_folder) as sms_url,
    ):
        vendor = FetchingVendor(line_url, sms_url)
        with vendor.server:
            yield vendor


def _twilio_said_in_full(folder: Path) -> Path:
    """Copy Twilio's description and say of a list in a form what OpenAPI takes for granted.

    OpenAPI 3.0, "Encoding Object": a form's list is a field that comes several times, unless told
    otherwise. Prism splits lists only where the document says so.
    """
    said = require_vectors("channels") / "twilio/twilio_api_v2010.yaml"
    before, title, after = said.read_text("utf-8").partition("title: CreateMessageRequest\n")
    at, margin = before.rindex("            schema:\n"), " " * 12
    encoding = f"{margin}encoding:\n{margin}  MediaUrl:\n{margin}    style: form\n"
    whole = before[:at] + encoding + f"{margin}    explode: true\n" + before[at:] + title + after
    copy = folder / "twilio.yaml"
    copy.write_text(whole, "utf-8")
    return copy


class House:
    """A running firm with one employee who writes on both channels."""

    def __init__(self, firm: FirmBackend, token: str) -> None:
        self.firm, self.token = firm, token

    def upload(self, name: str, media_type: str, data: bytes) -> AttachmentId:
        """Upload a file as the app would."""
        told = {"name": name, "media_type": media_type, "size_bytes": len(data)}
        with self.firm.client(self.token) as anna:
            made = anna.post(
                "/v1/attachments",
                json=told | {"sha256": hashlib.sha256(data).hexdigest()},
                headers={"Idempotency-Key": os.urandom(8).hex()},
            ).raise_for_status()
            found = str(made.json()["attachment_id"])
            offset = {"Upload-Offset": "0"}
            path = f"/v1/attachments/{found}/upload"
            anna.patch(path, content=data, headers=offset).raise_for_status()
        return AttachmentId(found)

    def send(self, channel: str, text: str, *files: AttachmentId) -> str:
        """Send a message and wait until the vendor has it; returns its id."""
        with self.firm.client(self.token) as anna:
            message_id = submit_on(anna, channel, text, *files)

            def state() -> str:
                return str(anna.get(f"/v1/messages/{message_id}").json()["state"])

            until(
                lambda: state() in ("accepted", "sent"), "the vendor's taking it", timeout_s=120.0
            )
        return message_id


@pytest.fixture
def house(vendor: FetchingVendor, tmp_path: Path) -> Iterator[House]:
    """Run a firm with a LINE account and an SMS number, and one client on both."""
    with FirmBackend(tmp_path / "firm", port=free_port()) as firm:
        token = firm.add_employee(ANNA, "Anna Keller")
        url = vendor.server.url
        accounts: Mapping[str, dict[str, str]] = {
            "line": {"channel_access_token": "t", "channel_secret": "s", "api_url": url},
            "sms_http": {
                "account_sid": SID,
                "auth_token": "t",
                "from_number": "+15550001111",
                "api_url": url,
            },
        }
        for module, settings in accounts.items():
            firm.add_channel(module, f"acc-{module}", settings, "--no-check", "--member", ANNA)
        firm.admin(
            "contact", "add", "--name", "Ada Client", "--employee", ANNA,
            "--point", f"line:{LINE_ID}", "--point", f"sms:{PHONE}",
            "--chat", "acc-line", "--chat", "acc-sms_http",
        )  # fmt: skip
        firm.start()
        yield House(firm, token)


def test_vendors_fetch_what_was_archived_and_nothing_after_its_erasure(
    house: House, vendor: FetchingVendor
) -> None:
    picture = house.upload("a private name.png", "image/png", PICTURE)
    sound = house.upload("note.m4a", "audio/mp4", SOUND)
    on_line = house.send("line", "Look and listen", picture, sound)
    by_sms = house.send("sms", "Look", house.upload("b.png", "image/png", PICTURE))
    assert vendor.refused == []
    text, image, audio = vendor.pushed[-1]
    assert (text["text"], audio["duration"]) == ("Look and listen", 61_500)
    links = [each["originalContentUrl"] for each in (image, audio)] + vendor.texted[-1]
    fetched = {link: vendor.fetched[link] for link in links}
    (from_line, heard, from_sms) = fetched.values()
    assert (from_line.content, heard.content, from_sms.content) == (PICTURE, SOUND, PICTURE)
    assert heard.headers["content-type"] == "audio/mp4"
    assert vendor.fetched[image["previewImageUrl"]].headers["content-type"] == "image/png"
    assert all(house.firm.public_url in link for link in fetched)
    assert not [link for link in fetched if "private" in link or LINE_ID in link]
    told = house.firm.child.errors
    assert not [link for link in fetched if link.rpartition("/")[2] in told]
    _erase(house.firm, on_line, by_sms)
    for link in fetched:
        assert httpx.get(link, trust_env=False, timeout=60).status_code == 404
    with house.firm.client() as anybody:
        problems = anybody.get("/v1/health").json()["problems"]
    assert [each for each in problems if "files of sent messages" in each]
    house.firm.stop()
    assert archive_is_sound(house.firm.data_dir)


def _erase(firm: FirmBackend, *message_ids: str) -> None:
    """Erase messages under an order, and start the backend anew."""
    firm.stop()
    named = [word for message_id in message_ids for word in ("--message-id", message_id)]
    order = ("--basis", "request 2026-17", "--within-retention", "--by", "officer-1")
    done = firm.admin_process("archive", "erase", *named, *order, stdin={})
    assert done.returncode == 0, done.stderr
    firm.start()
