"""Owns the event streams of all Signal accounts of a process.

It never opens one before somebody listens.
"""

from __future__ import annotations

from backend.channels.signal.calls import SignalCalls
from backend.channels.signal.stream import SignalStream
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId


class SignalStreams:
    """One stream an account."""

    def __init__(self, calls: SignalCalls, http: VendorHttp) -> None:
        self._calls, self._http = calls, http
        self._streams: dict[AccountId, SignalStream] = {}

    def of(self, account_id: AccountId) -> SignalStream:
        """Return an account's stream."""
        stream = self._streams.get(account_id)
        if stream is None:
            stream = SignalStream(self._http, self._calls.stream(account_id))
            self._streams[account_id] = stream
        return stream

    async def renew(self, account_id: AccountId) -> None:
        """Have an account's stream opened anew where its settings say; what came is kept."""
        stream = self._streams.get(account_id)
        if stream is None:
            return
        await stream.close()
        try:
            stream.source = self._calls.stream(account_id)
        except KeyError:  # the account is gone
            del self._streams[account_id]

    async def stop(self) -> None:
        """End every stream."""
        for stream in self._streams.values():
            await stream.close()
