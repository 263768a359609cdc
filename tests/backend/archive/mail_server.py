"""A real SMTP server on loopback that takes mail, refuses it, or drops the line half-way.

It never looks into a mail.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


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
async def mail_server(
    mailbox: Mailbox, context: ssl.SSLContext | None = None
) -> AsyncIterator[Mailbox]:
    """Run the server on a free loopback port, on the running loop; `context` offers STARTTLS."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="sink", tls_context=context), "127.0.0.1", 0
    )
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1; returns its file and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    address = x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    certificate_file, key_file = folder / "sink.pem", folder / "sink.key"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return certificate_file, context
