"""WhatsApp beside the phone: echoes, history, groups, hidden numbers, wishes, typing.

It never reaches Meta; the shapes are Meta's published ones, and pywa judges them elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from backend.channels.contract import Account
from backend.channels.events import (
    ChatNamed,
    ConsentChange,
    Deleted,
    Edited,
    IdentityChange,
    InboundEvent,
    MessageEcho,
    MessageIn,
    Receipt,
    Unknown,
)
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import ConsentKind, ConsentStatus, MessageKind
from tests.backend.channels.conformance import CONVERSATION, attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend.channels.test_whatsapp import ACCOUNT, MetaPeer, MetaVendor

OURS, CLIENT, USER = "15550783881", "16505551234", "US.13491208655302741918"
META = {"display_phone_number": OURS, "phone_number_id": "106540352242922"}
GROUP = "Y2FwaV9ncm91cDoxODA1NTU1MDE3MjoxMjAzNjMyMjI3NzE5NjMwNjcZD"


@pytest.fixture(scope="module")
def running_peer() -> Iterator[MetaPeer]:
    """Run one peer for all tests here."""
    peer = MetaPeer()
    with peer.server:
        yield peer


@pytest.fixture
async def vendor(running_peer: MetaPeer) -> AsyncIterator[MetaVendor]:
    """Return the connector over the running peer."""
    running_peer.bodies.clear()
    async with VendorHttp(verify=False) as http:
        yield MetaVendor(running_peer, http)


def parsed(vendor: MetaVendor, field: str, **value: Any) -> tuple[InboundEvent, ...]:
    """Return the events of one change."""
    whole = {"messaging_product": "whatsapp", "metadata": META} | value
    changes = [{"field": field, "value": whole}]
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}
    return vendor.connector.inbound.parse(ACCOUNT, json.dumps(body).encode())


def said(number: str, sender: str, **fields: Any) -> dict[str, Any]:
    """Return a message; a text where nothing else is given."""
    base = {"from": sender, "id": number, "timestamp": "1739230955", "type": "text"}
    return base | (fields or {"text": {"body": "Guten Tag"}})


def test_the_phone_beside_it_widens_what_is_told(vendor: MetaVendor) -> None:
    alone = vendor.connector.outbound.capabilities(ACCOUNT, CONVERSATION)
    settings = vendor.context.settings_of(ACCOUNT.account_id)
    assert isinstance(settings, dict)
    settings["coexistence"] = "Yes"
    beside = vendor.connector.outbound.capabilities(ACCOUNT, CONVERSATION)
    assert (alone.echo_of_native, alone.edits_in, alone.deletes_in) == (False, False, False)
    assert (beside.echo_of_native, beside.edits_in, beside.deletes_in) == (True, True, True)


def test_what_the_employee_does_on_the_phone_is_an_echo(vendor: MetaVendor) -> None:
    wrote = said("w1", OURS) | {"to": CLIENT}
    revoke = {"original_message_id": "w1"}
    took = said("w2", OURS, type="revoke", revoke=revoke) | {"to": CLIENT}
    now = {"type": "text", "text": {"body": "Guten Abend"}}
    edit = {"original_message_id": "w1", "message": now}
    mended = said("w3", OURS, type="edit", edit=edit) | {"to": CLIENT}
    hidden = said("w4", OURS) | {"to_user_id": USER}
    events = parsed(vendor, "smb_message_echoes", message_echoes=[wrote, took, mended, hidden])
    echo, gone, edited, to_hidden = events
    assert isinstance(echo, MessageEcho)
    assert (echo.text, echo.sender.address, echo.by_client) == ("Guten Tag", f"+{CLIENT}", False)
    assert isinstance(gone, Deleted)
    assert isinstance(edited, Edited)
    assert (edited.external_id, edited.text) == ("w1", "Guten Abend")
    assert (to_hidden.sender.id_type, to_hidden.sender.address) == ("user_id", USER)


def test_what_the_employee_sent_and_nobody_can_read_is_still_theirs(vendor: MetaVendor) -> None:
    poll = said("w1", OURS, type="poll") | {"to": CLIENT}
    (echo,) = parsed(vendor, "smb_message_echoes", message_echoes=[poll])
    assert isinstance(echo, MessageEcho), "never taken for the client's: it opens no window"
    assert (echo.kind, echo.text) == (MessageKind.UNSUPPORTED, "poll")


def test_a_message_of_an_unknown_shape_is_shown_and_hides_no_other(vendor: MetaVendor) -> None:
    strange = said("w1", CLIENT, text={"body": {"new": "form"}})
    told = parsed(vendor, "messages", messages=[said("w0", CLIENT), strange, said("w2", CLIENT)])
    kinds = {event.dedupe_key: type(event) for event in told}
    assert kinds == {"w0": MessageIn, "w1": Unknown, "w2": MessageIn}
    (shown,) = (event for event in told if isinstance(event, Unknown))
    assert (shown.sender.address, shown.external_id) == (f"+{CLIENT}", "w1")
    told = parsed(vendor, "messages", messages=[said("w3", CLIENT), {"no": "id"}])
    assert [type(event) for event in told] == [MessageIn, Unknown], "the second is archived"


def test_the_phones_history_tells_both_sides(vendor: MetaVendor) -> None:
    placeholder = said("w2", OURS, type="media_placeholder")
    messages = [said("w1", OURS), placeholder, said("w3", CLIENT)]
    thread = {"id": CLIENT, "messages": messages}
    piece = {"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": [thread]}
    ours, theirs = parsed(vendor, "history", history=[piece])
    assert isinstance(ours, MessageEcho)
    assert isinstance(theirs, MessageEcho)
    assert [ours.by_client, theirs.by_client] == [False, True]
    assert {ours.sender.address, theirs.sender.address} == {f"+{CLIENT}"}
    image = {"id": "2423", "mime_type": "image/jpeg", "caption": "Echeveria"}
    late = said("w4", CLIENT, type="image", image=image)
    (file,) = parsed(vendor, "history", messages=[late])
    assert isinstance(file, MessageEcho), "a client's word of last month opens no window now"
    assert file.attachments[0].ref == "2423"
    (declined,) = parsed(vendor, "history", history=[{"errors": [{"code": 2593109}]}])
    assert isinstance(declined, Unknown)


def test_a_client_is_known_by_both_ids_while_both_are_told(vendor: MetaVendor) -> None:
    contact = {"profile": {"name": "Ada"}, "wa_id": CLIENT, "user_id": USER}
    message = said("w1", CLIENT) | {"from_user_id": USER}
    (event,) = parsed(vendor, "messages", contacts=[contact], messages=[message])
    assert isinstance(event, MessageIn)
    assert (event.sender.id_type, event.sender.address) == ("phone", f"+{CLIENT}")
    assert event.sender.also == ("user_id", USER)
    assert event.sender.name == "Ada"


@pytest.mark.parametrize(
    ("system", "new_address"),
    [
        ({"type": "user_changed_number", "wa_id": "12195555358"}, "+12195555358"),
        ({"type": "user_changed_user_id", "user_id": "US.7"}, "US.7"),
        ({"type": "customer_identity_changed", "identity": "hash"}, ""),
    ],
)
def test_another_identity_is_told(
    vendor: MetaVendor, system: dict[str, str], new_address: str
) -> None:
    (event,) = parsed(
        vendor, "messages", messages=[said("w1", CLIENT, type="system", system=system)]
    )
    assert isinstance(event, IdentityChange)
    assert event.new_address == new_address


def test_a_clients_edit_and_deletion_are_read(vendor: MetaVendor) -> None:
    now = {"type": "image", "image": {"id": "1", "mime_type": "image/png", "caption": "so"}}
    edit = {"original_message_id": "w1", "message": now}
    revoke = {"original_message_id": "w1"}
    messages = [said("w2", CLIENT, type="edit", edit=edit)]
    messages.append(said("w3", CLIENT, type="revoke", revoke=revoke))
    edited, gone = parsed(vendor, "messages", messages=messages)
    assert isinstance(edited, Edited)
    assert (edited.external_id, edited.text) == ("w1", "so")
    assert isinstance(gone, Deleted)
    assert gone.external_id == "w1"


def test_a_wish_for_no_advertising_is_consent_of_its_own(vendor: MetaVendor) -> None:
    wish = {"wa_id": CLIENT, "category": "marketing_messages", "timestamp": 1731705721}
    stop, resume = parsed(
        vendor,
        "user_preferences",
        user_preferences=[wish | {"value": v} for v in ("stop", "resume")],
    )
    assert isinstance(stop, ConsentChange)
    assert isinstance(resume, ConsentChange)
    assert {stop.consent, resume.consent} == {ConsentKind.MARKETING}
    assert [stop.status, resume.status] == [ConsentStatus.OPTED_OUT, ConsentStatus.ACCEPTED]


async def test_groups_are_written_to_and_read(vendor: MetaVendor) -> None:
    out = vendor.connector.outbound
    await out.send(changed(outbound(vendor), id_type="chat", address=GROUP), attempt())
    await out.react(ACCOUNT, GROUP, "w1", "👍")
    await out.react(ACCOUNT, f"+{CLIENT}", "w1", "👍")
    await out.react(ACCOUNT, USER, "w1", "")
    told = [
        (body["recipient_type"], body.get("to"), body.get("recipient"))
        for body in vendor.peer.bodies
    ]
    assert told == [
        ("group", GROUP, None),
        ("group", GROUP, None),
        ("individual", CLIENT, None),
        ("individual", None, USER),
    ]
    (event,) = parsed(vendor, "messages", messages=[said("w1", CLIENT) | {"group_id": GROUP}])
    assert isinstance(event, MessageIn)
    assert (event.chat, event.sender.address) == (GROUP, f"+{CLIENT}")
    status = {"id": "w2", "status": "read", "timestamp": "5", "recipient_type": "group"}
    status |= {"recipient_id": GROUP, "recipient_participant_user_id": USER}
    (receipt,) = parsed(vendor, "messages", statuses=[status])
    assert isinstance(receipt, Receipt)
    assert (receipt.external_id, receipt.state) == ("w2", DeliveryState.READ)
    changed_to: dict[str, Any] = {"text": "Household", "update_successful": True}
    about: dict[str, Any] = {"timestamp": "5", "group_id": GROUP, "type": "group_settings_update"}
    refused: dict[str, Any] = {"group_subject": changed_to | {"update_successful": False}}
    named, not_named = parsed(
        vendor,
        "group_settings_update",
        groups=[about | {"group_subject": changed_to}, about | refused],
    )
    assert isinstance(named, ChatNamed)
    assert (named.sender.address, named.name) == (GROUP, "Household")
    assert isinstance(not_named, Unknown)
    assert not_named.sender.address == "", "archived, but no message to show"


async def test_typing_answers_the_last_message_of_the_chat(vendor: MetaVendor) -> None:
    shown: list[dict[str, Any]] = vendor.peer.marks
    shown.clear()
    typing = vendor.connector.outbound.typing
    await typing(ACCOUNT, f"+{CLIENT}", True)
    assert shown == [], "nothing to answer yet"
    parsed(vendor, "messages", messages=[said("w1", CLIENT), said("w2", CLIENT)])
    await typing(ACCOUNT, f"+{CLIENT}", True)
    await typing(ACCOUNT, f"+{CLIENT}", False)
    await typing(other(), f"+{CLIENT}", True)
    assert [(each["message_id"], each["typing_indicator"]) for each in shown] == [
        ("w2", {"type": "text"})
    ]


def other() -> Account:
    """Return another account, which heard of nobody."""
    return Account(
        account_id=AccountId("wa-2"),
        channel=ACCOUNT.channel,
        connector=ACCOUNT.connector,
        idempotency=ACCOUNT.idempotency,
    )


async def test_a_picture_of_a_kind_whatsapp_does_not_show_goes_as_a_document(
    vendor: MetaVendor,
) -> None:
    out, base = vendor.connector.outbound, outbound(vendor)
    scan = outbound_file("scan.tiff", "image/tiff")
    message = changed(base, attachments=(scan,))
    assert out.preflight(message, vendor.now_utc_ms) is None
    await out.send(message, attempt())
    assert vendor.peer.bodies[-1]["type"] == "document"
    assert vendor.peer.bodies[-1]["document"]["filename"] == "scan.tiff"
