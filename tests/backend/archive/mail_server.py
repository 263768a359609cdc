"""A real SMTP server on loopback that takes mail, refuses it, or drops the line half-way.

It never looks into a mail.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """What the server took, and what it shall do with the next mails.

    `answers` are used up one by one: an SMTP reply, `drop` for a line cut inside DATA, or
    `take_and_drop` for one cut after the mail was kept but before the 250, or
    `take_and_wait` to keep the mail, set `waiting` and never answer.
    """

    taken: list[Envelope] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refuse: str = ""
    port: int = 0
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def mails(self) -> list[bytes]:
        """Return the bytes of the mails that were taken."""
        return [mail.original_content or b"" for mail in self.taken]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the mail or not; aiosmtpd names this method."""
        answer = self.refuse or (self.answers.pop(0) if self.answers else "")
        if answer in ("take_and_drop", "take_and_wait"):
            self.taken.append(envelope)
        if answer == "take_and_wait":
            self.waiting.set()
            await asyncio.Event().wait()
        if answer in ("drop", "take_and_drop"):
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return "421 gone"
        if answer:
            return answer
        self.taken.append(envelope)
        return "250 taken"


@contextlib.asynccontextmanager
async def mail_server(mailbox: Mailbox) -> AsyncIterator[Mailbox]:
    """Run the server on a free loopback port, on the running loop."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, hostname="sink"), "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()
