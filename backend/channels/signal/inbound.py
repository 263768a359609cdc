"""The way in from Signal: a kept stream of a signal-cli daemon per account.

It never lets the daemon receive without listening: what it hands over is not given twice.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import InboundEvent
from backend.channels.signal.calls import SignalCalls
from backend.channels.signal.identities import is_person
from backend.channels.signal.reading import events_of, unread
from backend.channels.signal.streams import SignalStreams
from backend.channels.signal.wire import Event, FileData
from backend.channels.webhooks import LONGEST_POLL_S
from contract.ids import AccountId

_WAIT_S = LONGEST_POLL_S / 2
_FILE_TIMEOUT_S = 120.0


class SignalInbound:
    """Serves every Signal account; it keeps the protocols Inbound, Lifecycle and PerAccount."""

    def __init__(self, calls: SignalCalls, streams: SignalStreams) -> None:
        self._calls, self._streams = calls, streams

    async def start(self) -> None:
        """Do nothing yet: an account's stream opens when it is first listened to."""

    async def stop(self) -> None:
        """End every stream; Signal keeps what comes meanwhile."""
        await self._streams.stop()

    async def account_changed(self, account_id: AccountId) -> None:
        """Listen where an account's settings say now."""
        await self._streams.renew(account_id)

    def verify(self, account: Account, item: RawItem) -> bool:
        """Tell whether these bytes came over our own connection to the daemon."""
        return self._streams.of(account.account_id).arrivals.is_own(item)

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn one event of the stream into what it tells."""
        try:
            event = msgspec.json.decode(raw, type=Event)
            number = self._calls.number(account.account_id)
            return events_of(event, number, self._streams.of(account.account_id).edits)
        except (msgspec.DecodeError, ValueError):
            return (unread(raw),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return what came since a cursor of this process."""
        return await self._streams.of(account.account_id).take(cursor, _WAIT_S)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a file the daemon has fetched from Signal and opened."""
        file_id, _, owner = ref.partition(" ")
        whose = {"recipient": owner} if is_person(owner) else {"groupId": owner}
        try:
            result = await self._calls.call(
                account.account_id,
                "getAttachment",
                {"id": file_id} | whose,
                timeout_s=_FILE_TIMEOUT_S,
            )
            return base64.b64decode(msgspec.json.decode(result, type=FileData).data, validate=True)
        except faults.Refusal as error:
            raise faults.ContentInvalid("signal-cli does not have the file any more.") from error
        except faults.Retryable:
            raise
        except faults.ChannelFault as error:
            raise faults.Retryable(error.reason) from error
        except (msgspec.DecodeError, binascii.Error) as error:
            raise faults.ContentInvalid("signal-cli gave something else than the file.") from error
