"""SMS by SMPP against node's `smpp` as the centre, Kannel as the phones, aiosmpplib as the reader.

It never sends beyond loopback.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.channels import faults
from backend.channels.contract import Account, Connector, Polled
from backend.channels.events import InboundEvent, MessageIn, Receipt
from backend.channels.modules import ChannelContext, load_module
from backend.channels.smpp import wire
from backend.channels.smpp.alphabet import encode_text
from backend.channels.smpp.inbound import SmppInbound
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, attempt, outbound
from tests.channels.oracles import ask
from tests.channels.sms_centre import (
    FIRM,
    PASSWORD,
    PHONE,
    Phones,
    SmsCentre,
    phones_behind_kannel,
    sms_centre,
)
from tests.support.log_guard import LogGuard

pytestmark = pytest.mark.timeout(600)
ACCOUNT = Account(
    account_id=AccountId("sms-1"),
    channel=Channel.SMS,
    connector="smpp",
    idempotency=IdempotencyClass.NONE,
)
_STATUS: dict[type[faults.ChannelFault], int] = {
    faults.Retryable: 0x64,
    faults.RateLimited: 0x58,
    faults.RecipientInvalid: 0x0B,
    faults.ContentInvalid: 0x01,
    faults.AccountFault: 0x0D,
}
_TEXTS = [
    "Guten Morgen, 5 € [netto] für Frau Müller {ñ}",
    "明日の約定確認をお願いします 😀",
    "Lang: " + "Das Depot wächst. " * 20,
    "長い文章です。" * 30,
]


class SmppVendor:
    """The centre as the conformance run wants it."""

    def __init__(self, centre: SmsCentre, http: VendorHttp, **settings: str) -> None:
        self.centre, self.account = centre, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        given = {
            "host": "localhost",
            "port": str(centre.port),
            "system_id": "parley",
            "password": PASSWORD,
            "source": FIRM,
        } | settings
        self.context = ChannelContext(lambda _: given, http, lambda: self.now_utc_ms)
        self.connector: Connector = load_module("smpp").connect(self.context)

    async def received_texts(self) -> list[str]:
        texts: list[str] = self.centre.state()["texts"]
        return texts

    async def client_writes(self, text: str) -> str:
        self.centre.order("write", text=text)
        return ""

    async def incoming(self, cursor: str) -> Polled:
        return await self.connector.inbound.poll(self.account, cursor)

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.centre.order("set", lose=fault is faults.OutcomeUnknown)
        if fault in _STATUS:
            self.centre.order("set", statuses=[_STATUS[fault]])
        return fault in _STATUS or fault is faults.OutcomeUnknown

    async def events(self, wanted: Callable[[list[InboundEvent]], bool]) -> list[InboundEvent]:
        """Poll until what came is enough."""
        seen: list[InboundEvent] = []
        cursor = ""
        async with asyncio.timeout(60):
            while not wanted(seen):
                polled = await self.incoming(cursor)
                cursor = polled.cursor
                for item in polled.items:
                    assert self.connector.inbound.verify(ACCOUNT, item)
                    seen.extend(self.connector.inbound.parse(ACCOUNT, item.body))
        return seen

    async def close(self) -> None:
        """Unbind."""
        assert isinstance(self.connector.inbound, SmppInbound)
        await self.connector.inbound.stop()


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmsCentre]:
    """Run the centre."""
    with sms_centre(tmp_path_factory.mktemp("centre")) as centre:
        yield centre


@pytest.fixture
async def vendor(centre: SmsCentre) -> AsyncIterator[SmppVendor]:
    """Return the connector over the running centre."""
    centre.calm()
    async with VendorHttp() as http:
        vendor = SmppVendor(centre, http)
        yield vendor
        await vendor.close()


class TestSmppConformance(ConnectorConformance):
    """The suite that every connector passes, against an independent centre."""


@pytest.mark.parametrize("text", _TEXTS)
async def test_the_phone_shows_what_was_written(vendor: SmppVendor, text: str) -> None:
    sent = await vendor.connector.outbound.send(outbound(vendor, text), attempt())
    assert await vendor.received_texts() == [text]
    events = await vendor.events(lambda seen: any(isinstance(e, Receipt) for e in seen))
    (receipt,) = [event for event in events if isinstance(event, Receipt)]
    assert (receipt.external_id, receipt.state) == (sent.external_id, DeliveryState.DELIVERED)


async def test_a_broken_connection_is_made_again(vendor: SmppVendor) -> None:
    await vendor.connector.outbound.send(outbound(vendor, "before"), attempt())
    vendor.centre.order("drop")
    async with asyncio.timeout(60):
        while True:
            try:
                await vendor.connector.outbound.send(outbound(vendor, "after"), attempt())
                break
            except (faults.Retryable, faults.OutcomeUnknown):
                await asyncio.sleep(0.1)
    assert (await vendor.received_texts())[-1] == "after"


async def test_separate_binds_and_the_guided_check(centre: SmsCentre) -> None:
    centre.calm()
    async with VendorHttp() as http:
        vendor = SmppVendor(centre, http, binds="separate")
        lines = await load_module("smpp").check(vendor.context, ACCOUNT)
        assert all(line.ok for line in lines)
        await vendor.connector.outbound.send(outbound(vendor), attempt())
        await vendor.events(lambda seen: any(isinstance(e, MessageIn) for e in seen))
        await vendor.close()


async def test_tls_is_checked_against_the_authority(tmp_path: Path, expect_log: LogGuard) -> None:
    authority = _certificate(tmp_path)
    files = {"TLS_KEY": str(tmp_path / "key.pem"), "TLS_CERTIFICATE": str(tmp_path / "cert.pem")}
    with sms_centre(tmp_path, files) as centre:
        async with VendorHttp() as http:
            trusting = SmppVendor(centre, http, tls="yes", tls_authority=authority)
            await trusting.connector.outbound.send(outbound(trusting), attempt())
            assert await trusting.received_texts() == ["Good morning"]
            await trusting.close()
            expect_log("could not be bound", logger="backend.channels.smpp.link")
            careful = SmppVendor(centre, http, tls="yes")
            with pytest.raises(faults.AccountFault, match="certificate"):
                await careful.connector.outbound.send(outbound(careful), attempt())
            await careful.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmsCentre, Phones]]:
    """Run a centre whose phones are a Kannel gateway."""
    folder = tmp_path_factory.mktemp("kannel")
    with sms_centre(folder) as centre, phones_behind_kannel(folder, centre) as phones:
        yield centre, phones


@pytest.mark.parametrize("text", _TEXTS)
async def test_kannel_reads_what_we_write(gateway: tuple[SmsCentre, Phones], text: str) -> None:
    centre, phones = gateway
    centre.calm()
    phones.received.clear()
    async with VendorHttp() as http:
        vendor = SmppVendor(centre, http)
        sent = await vendor.connector.outbound.send(outbound(vendor, text), attempt())
        events = await vendor.events(lambda seen: any(isinstance(e, Receipt) for e in seen))
        await vendor.close()
    (receipt,) = [event for event in events if isinstance(event, Receipt)]
    assert (receipt.external_id, receipt.state) == (sent.external_id, DeliveryState.DELIVERED)
    async with asyncio.timeout(60):
        while not phones.received:
            await asyncio.sleep(0.05)
    (got,) = phones.received
    assert got["text"].encode("latin-1").decode(got["charset"]) == text
    assert got["from"].lstrip("+") == FIRM.lstrip("+")


@pytest.mark.parametrize("text", _TEXTS)
async def test_we_read_what_kannel_writes(gateway: tuple[SmsCentre, Phones], text: str) -> None:
    centre, phones = gateway
    centre.calm()
    phones.reports.clear()
    async with VendorHttp() as http:
        vendor = SmppVendor(centre, http)
        said = await asyncio.to_thread(phones.write, text)
        assert said.startswith(("0: Accepted", "3: Queued")), said
        events = await vendor.events(lambda seen: bool(seen))
        # Kannel hears "delivered" only because we acknowledge what is committed: the next poll.
        asking = asyncio.create_task(vendor.incoming((await vendor.incoming("")).cursor))
        async with asyncio.timeout(60):
            while not {8, 1} <= set(phones.reports):  # taken by the centre, delivered to us
                await asyncio.sleep(0.05)
        asking.cancel()
        await vendor.close()
    (event,) = events
    assert isinstance(event, MessageIn)
    assert (event.text, event.sender.address) == (text, PHONE)


@pytest.mark.parametrize("text", _TEXTS)
def test_aiosmpplib_reads_our_units(text: str) -> None:
    coding, contents = encode_text(text, 7)
    units = [
        wire.encode(
            wire.Pdu(
                wire.SUBMIT_SM,
                0,
                n,
                wire.submit_body(
                    wire.Address(1, 1, FIRM[1:]),
                    wire.Address(1, 1, PHONE[1:]),
                    esm_class=wire.HAS_HEADER if len(contents) > 1 else 0,
                    data_coding=coding,
                    content=content,
                ),
            )
        )
        for n, content in enumerate(contents, start=1)
    ]
    code = (
        "from aiosmpplib import SubmitSm\n"
        "from aiosmpplib.protocol import SmppMessage\n"
        "result = []\n"
        "for unit in data:\n"
        "    pdu = bytes.fromhex(unit)\n"
        "    m = SubmitSm.from_pdu(pdu, SmppMessage.parse_header(pdu), 'gsm0338')\n"
        "    result.append([m.short_message, m.source.number, int(m.destination.ton),\n"
        "        m.registered_delivery, m.get_segmentation_data()])\n"
    )
    read = ask(code, [unit.hex() for unit in units])
    assert "".join(each[0] for each in read) == text
    assert {tuple(each[1:4]) for each in read} == {(FIRM[1:], 1, 1)}
    total = len(units)
    expected = [[7, n, total] for n in range(1, total + 1)] if total > 1 else [[0, 0, 0]]
    assert [each[4] for each in read] == expected


def _certificate(folder: Path) -> str:
    """Write a key with its own certificate for localhost, and return the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem.decode()
