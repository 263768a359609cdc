"""Plays the sandbox's clients over its HTTP routes: they write, and show what they received.

It never looks into the sandbox's files; of strangers on a pooled number it has one employee take
over who waits, as their window would ask for it.
"""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from contract import api
from contract.triage import TriageAction
from tests.support.waiting import until


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

    def claim_strangers(self, titles: Collection[str], *, timeout_s: float = 60.0) -> None:
        """Take these unknown senders over from the queue of who looks after their number.

        Each must wait there once: nobody else is claimed, and nobody is left.
        """
        all_wait = "the strangers to wait"
        waiting = until(lambda: self._waiting(titles), all_wait, timeout_s=timeout_s)
        for title in titles:
            self._ask(
                "POST",
                api.TRIAGE_ACTIONS.format(conversation_id=waiting[title]),
                {"action": TriageAction.CLAIM.value},
            )
        left = self._strangers().keys() & set(titles)
        assert not left, f"still in the queue: {sorted(left)}"

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

    def _waiting(self, titles: Collection[str]) -> dict[str, str]:
        found = self._strangers()
        return found if found.keys() >= set(titles) else {}

    def _strangers(self) -> dict[str, str]:
        """Return the conversations of all who wait, by the names they show."""
        found: dict[str, str] = {}
        cursor = ""
        while True:
            page = self._ask("GET", f"{api.TRIAGE}?limit=100&cursor={quote(cursor)}")
            for item in page["items"]:
                assert item["title"] not in found, f"{item['title']} waits twice"
                found[item["title"]] = item["conversation_id"]
            cursor = page.get("next_cursor", "")
            if not cursor:
                return found

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._ask(method, f"/v1/sandbox{path}", body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(
            self._at.hostname or "", self._at.port, timeout=60.0
        )
        try:
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {
                    "Authorization": f"Bearer {self._token}",
                    "Content-Type": "application/json",
                    api.IDEMPOTENCY_KEY: str(uuid.uuid4()),
                },
            )
            answer = connection.getresponse()
            raw = answer.read()
            assert answer.status < 300, f"{method} {path}: {answer.status} {raw[:500]!r}"
            said: dict[str, Any] = json.loads(raw)
            return said
        finally:
            connection.close()
