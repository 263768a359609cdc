"""Plays the sandbox's clients over its HTTP routes: they write, and show what they received.

It never looks into the sandbox's files.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Received:
    """One message on a client's phone, in the order the phones took them."""

    seq: int
    account_id: str
    address: str
    text: str


class SandboxFace:
    """The routes of one running backend."""

    def __init__(self, url: str, token: str) -> None:
        self._at = urlsplit(url)
        self._token = token

    def stranger_says(
        self, account_id: str, address: str, name: str, text: str, *, id_type: str
    ) -> None:
        """Let an unknown client write, who accepts the recording notice."""
        self._call(
            "POST",
            "/messages",
            {
                "account_id": account_id,
                "address": address,
                "name": name,
                "text": text,
                "id_type": id_type,
                "consents": True,
            },
        )

    def client_says(self, contact_id: str, text: str) -> None:
        """Let a client of the sample workspace write."""
        self._call("POST", f"/clients/{contact_id}/messages", {"text": text})

    def ask_fault(self, **fault: Any) -> None:
        """Have the vendor play a fault on the next sends it fits."""
        self._call("POST", "/faults", fault)

    def received(self) -> list[Received]:
        """Return every message the clients' phones received from the firm."""
        found: list[Received] = []
        after = 0
        while lines := self._call("GET", f"/inbox?after={after}&limit=5000")["lines"]:
            after = lines[-1]["seq"]
            found.extend(
                Received(line["seq"], line["account_id"], line["address"], line["text"])
                for line in lines
                if line["direction"] == "received"
            )
        return found

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(
            self._at.hostname or "", self._at.port, timeout=20.0
        )
        try:
            connection.request(
                method,
                f"/v1/sandbox{path}",
                None if body is None else json.dumps(body),
                {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            raw = answer.read()
            assert answer.status < 300, f"{method} {path}: {answer.status} {raw[:500]!r}"
            said: dict[str, Any] = json.loads(raw)
            return said
        finally:
            connection.close()
