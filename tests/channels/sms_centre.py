"""Starts an SMS centre (node's `smpp`) and a Kannel gateway that plays the phones behind it.

It never sends beyond loopback.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.channels.peers import (
    NONE_KEPT,
    answers,
    free_port,
    require_peer,
    require_program,
    running,
)
from tests.support.waiting import until

FIRM, PHONE, PASSWORD = "+15550001111", "+10000000001", "s3cret"
_SCRIPT = Path(__file__).with_name("sms_centre.js")


class SmsCentre:
    """A running centre; `port` speaks SMPP."""

    def __init__(self, port: int, control: str) -> None:
        self.port = port
        self._http = httpx.Client(base_url=control, timeout=60.0, limits=NONE_KEPT, trust_env=False)

    def state(self) -> dict[str, Any]:
        """Return what the centre has seen."""
        told: dict[str, Any] = self._http.get("/state").json()
        return told

    def order(self, what: str, **given: Any) -> None:
        """Have it write, drop its connections, set or reset what it does."""
        self._http.post(f"/{what}", content=json.dumps(given)).raise_for_status()

    def calm(self) -> None:
        """Wait until the firm is unbound, and forget what it was not handed for good."""
        until(lambda: "parley" not in self.state()["parties"], "the firm to unbind")
        self.order("reset")

    def answered(self) -> bool:
        """Tell whether all that was handed over was acknowledged: none of it comes again."""
        return int(self.state()["unanswered"]) == 0

    def close(self) -> None:
        """Close the connection that steers it."""
        self._http.close()


@contextlib.contextmanager
def sms_centre(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[SmsCentre]:
    """Run a centre until the block ends."""
    peer, port, control = require_peer("smpp"), free_port(), free_port()
    where = {
        "NODE_PATH": str(peer / "node_modules"),
        "SMPP_PORT": str(port),
        "CONTROL_PORT": str(control),
    }
    url = f"http://127.0.0.1:{control}"
    command = ["node", str(_SCRIPT)]
    with running(command, folder, answers(url), where | dict(environment or {})):
        centre = SmsCentre(port, url)
        yield centre
        centre.close()


class Phones:
    """The phones behind Kannel: what they got, what the gateway was told of their own texts."""

    def __init__(self, sendsms_url: str, hook_url: str) -> None:
        self.received: list[dict[str, str]] = []
        self.reports: list[int] = []
        self._url, self._hook = sendsms_url, hook_url

    def write(self, text: str) -> str:
        """Send a text to the firm; returns what Kannel says."""
        params = {
            "username": "phones", "password": PASSWORD, "from": PHONE, "to": FIRM, "text": text,
            "charset": "UTF-8", "dlr-mask": "31", "dlr-url": f"{self._hook}/report?type=%d",
        }  # fmt: skip
        if any(ord(char) > 0xFF for char in text):
            params["coding"] = "2"
        return httpx.get(self._url, params=params, timeout=60.0, trust_env=False).text


@contextlib.contextmanager
def phones_behind_kannel(folder: Path, centre: SmsCentre) -> Iterator[Phones]:
    """Run Kannel's two programs, bound to the centre, until the block ends."""
    bearerbox, smsbox = require_program("bearerbox"), require_program("smsbox")
    admin, inner, sendsms = free_port(), free_port(), free_port()
    url = f"http://127.0.0.1:{sendsms}"
    with _hooks() as (server, phones_of):
        hook = f"http://127.0.0.1:{server.server_port}"
        phones = phones_of(f"{url}/cgi-bin/sendsms", hook)
        (folder / "kannel.conf").write_text(
            _configuration(centre.port, admin, inner, sendsms, hook)
        )
        for name in ("bearerbox", "smsbox"):
            (folder / name).mkdir()
        gateway = [str(bearerbox), "-v", "1", str(folder / "kannel.conf")]
        box = [str(smsbox), "-v", "1", str(folder / "kannel.conf")]
        online = lambda: "kannel" in centre.state()["parties"]  # noqa: E731 -- one check, used once
        with running(gateway, folder / "bearerbox", online):
            with running(box, folder / "smsbox", answers(url)):
                yield phones


@contextlib.contextmanager
def _hooks() -> Iterator[tuple[ThreadingHTTPServer, Any]]:
    made: list[Phones] = []

    class Hook(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            given = {
                name: values[0]
                for name, values in parse_qs(
                    asked.query, keep_blank_values=True, encoding="latin-1"
                ).items()
            }
            if asked.path == "/report":
                made[0].reports.append(int(given["type"]))
            else:
                made[0].received.append(given)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    def make(url: str, hook: str) -> Phones:
        made.append(Phones(url, hook))
        return made[0]

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server, make
        finally:
            server.shutdown()
            thread.join(60)


def _configuration(port: int, admin: int, inner: int, sendsms: int, hook: str) -> str:
    groups: list[dict[str, object]] = [
        {
            "group": "core", "admin-port": admin, "admin-interface": "127.0.0.1",
            "admin-password": PASSWORD, "smsbox-port": inner, "smsbox-interface": "127.0.0.1",
            "box-allow-ip": "127.0.0.1", "box-deny-ip": "*.*.*.*", "dlr-storage": "internal",
            "sms-combine-concatenated-mo": "true",
        },
        {
            "group": "smsc", "smsc": "smpp", "smsc-id": "centre", "host": "127.0.0.1",
            "port": port, "smsc-username": "kannel", "smsc-password": PASSWORD,
            "system-type": "", "transceiver-mode": "true", "source-addr-autodetect": "true",
            "dest-addr-ton": 1, "dest-addr-npi": 1, "reconnect-delay": 1, "msg-id-type": "0x00",
        },
        {
            "group": "smsbox", "bearerbox-host": "127.0.0.1", "bearerbox-port": inner,
            "sendsms-port": sendsms, "sendsms-interface": "127.0.0.1",
        },
        {
            "group": "sendsms-user", "username": "phones", "password": PASSWORD,
            "concatenation": "true", "max-messages": 10,
        },
        {
            "group": "sms-service", "keyword": "default", "catch-all": "true", "max-messages": 0,
            "omit-empty": "true", "assume-plain-text": "false",
            "get-url": f"{hook}/text?from=%p&coding=%c&charset=%C&text=%b",
        },
    ]  # fmt: skip
    return (
        "\n\n".join(
            "\n".join(
                f"{name} = {value if value != '' else chr(34) * 2}" for name, value in each.items()
            )
            for each in groups
        )
        + "\n"
    )
