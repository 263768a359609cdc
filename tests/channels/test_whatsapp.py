"""pywa reads echoes, edits, deletions, identities and wishes as we do, and sends what we send.

It never imports the kit into this process, and Meta is not asked.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.channels.events import (
    ConsentChange,
    Deleted,
    Edited,
    IdentityChange,
    InboundEvent,
    MessageEcho,
    MessageIn,
)
from contract.wire import Channel, ConsentStatus
from tests.channels.oracles import ask
from tests.channels.test_oracles import connector

pytestmark = pytest.mark.timeout(600)
NUMBER_ID = "106540352242922"
OURS, CLIENT, USER = "15550783881", "16505551234", "US.13491208655302741918"
_READ = """
from pywa import WhatsApp, types
client = WhatsApp(phone_id="106540352242922", token="t", server=None)
result = []
for name, each in data:
    told = getattr(types, name).from_update(client, each)
    who = told.from_user
    result.append([who.wa_id, who.bsuid, {code}])
"""


def hook(field: str, **value: Any) -> dict[str, Any]:
    """Return a webhook of one change."""
    meta = {"display_phone_number": OURS, "phone_number_id": NUMBER_ID}
    contact = {"profile": {"name": "Ada"}, "wa_id": CLIENT, "user_id": USER}
    whole = {"messaging_product": "whatsapp", "metadata": meta, "contacts": [contact]} | value
    changes = [{"field": field, "value": whole}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def said(sender: str, kind: str, **fields: Any) -> dict[str, Any]:
    """Return a message of one type."""
    base = {"from": sender, "from_user_id": USER, "id": "w9", "timestamp": "1739230955"}
    return base | {"type": kind} | fields


def ours(body: dict[str, Any]) -> InboundEvent:
    """Return what we read."""
    whatsapp, account = connector(
        "whatsapp", Channel.WHATSAPP, app_secret="s", phone_number_id=NUMBER_ID
    )
    (event,) = whatsapp.inbound.parse(account, json.dumps(body).encode())
    return event


def test_pywa_reads_the_same_edits_and_deletions() -> None:
    edit = {"original_message_id": "w1", "message": {"type": "text", "text": {"body": "so"}}}
    edit["message"]["id"] = "w9"  # type: ignore[index] # a dict of our own, two lines above
    revoke = {"original_message_id": "w1"}
    hooks = [
        ("EditedMessage", hook("messages", messages=[said(CLIENT, "edit", edit=edit)])),
        ("DeletedMessage", hook("messages", messages=[said(CLIENT, "revoke", revoke=revoke)])),
    ]
    theirs = ask(_READ.replace("{code}", "told.original_message_id"), hooks)
    for (_, body), (number, user_id, original) in zip(hooks, theirs, strict=True):
        event = ours(body)
        assert isinstance(event, Edited | Deleted)
        assert event.external_id == original
        assert (event.sender.address, event.sender.also[1]) == (f"+{number}", user_id)


def test_pywa_reads_the_same_echoes() -> None:
    wrote = {"from": OURS, "to": CLIENT, "id": "w1", "timestamp": "1739230955", "type": "text"}
    body = hook("smb_message_echoes", message_echoes=[wrote | {"text": {"body": "Guten Tag"}}])
    ((number, _, words),) = ask(
        _READ.replace("{code}", "[told.id, told.text]"), [("OutgoingMessage", body)]
    )
    event = ours(body)
    assert isinstance(event, MessageEcho)
    assert [event.external_id, event.text] == words
    assert event.sender.address == f"+{number}"


def test_pywa_reads_the_same_hidden_numbers_and_new_identities() -> None:
    contact = {"profile": {"name": "Ada"}, "user_id": USER}
    text = said("", "text", text={"body": "hi"})
    del text["from"]
    hidden = hook("messages", contacts=[contact], messages=[text])
    ((number, user_id, words),) = ask(_READ.replace("{code}", "told.text"), [("Message", hidden)])
    event = ours(hidden)
    assert isinstance(event, MessageIn)
    assert not number
    assert (event.sender.id_type, event.sender.address) == ("user_id", user_id)
    assert event.text == words
    system = {"type": "user_changed_number", "wa_id": "12195555358", "body": "changed"}
    moved = hook("messages", messages=[said(CLIENT, "system", system=system)])
    ((_, _, new_number),) = ask(
        _READ.replace("{code}", "told.new_wa_id"), [("PhoneNumberChange", moved)]
    )
    change = ours(moved)
    assert isinstance(change, IdentityChange)
    assert change.new_address == f"+{new_number}"


def test_pywa_reads_the_same_wishes() -> None:
    wish = {"wa_id": CLIENT, "category": "marketing_messages", "detail": "d", "timestamp": 5}
    body = hook("user_preferences", user_preferences=[wish | {"value": "stop"}])
    ((number, _, value),) = ask(
        _READ.replace("{code}", "str(told.value)"), [("UserMarketingPreferences", body)]
    )
    event = ours(body)
    assert isinstance(event, ConsentChange)
    assert (value.casefold(), event.status) == ("stop", ConsentStatus.OPTED_OUT)
    assert event.sender.address == f"+{number}"
