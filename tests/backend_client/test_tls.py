"""Shows whose certificates are believed: the system's authorities, and the file IT named.

It does not reach beyond loopback.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend_client.endpoint import BackendEndpoint
from backend_client.errors import Unreachable
from backend_client.transport import Transport


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer anything."""
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Write a certificate for 127.0.0.1 with its key into one PEM file."""
    path = tmp_path / "server.pem"
    path.write_bytes(certificate_of("127.0.0.1"))
    return path


def certificate_of(subject: str) -> bytes:
    """Return a new certificate that signs itself, for 127.0.0.1, with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret + made.public_bytes(pem)


@pytest.fixture
def https_port(certificate: Path) -> Iterator[int]:
    """Serve HTTPS on loopback with that certificate."""
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join(60)
    server.server_close()


async def test_certificate_of_nobody_we_know_is_refused(https_port: int) -> None:
    """The system's authorities did not sign it; the token is never sent."""
    transport = Transport(BackendEndpoint(url=f"https://127.0.0.1:{https_port}", token="secret"))
    with pytest.raises(Unreachable, match="not trusted"):
        await transport.request("GET", "/")
    await transport.close()


async def test_authority_named_by_it_is_believed(https_port: int, certificate: Path) -> None:
    """A firm's own authority comes by a file."""
    endpoint = BackendEndpoint(
        url=f"https://127.0.0.1:{https_port}", token="secret", ca_file=str(certificate)
    )
    transport = Transport(endpoint)
    assert (await transport.request("GET", "/")).status == 204
    await transport.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the system's store is a file on Linux alone")
async def test_the_systems_authorities_stay_believed_beside_the_file(
    https_port: int, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firm that names its inspecting proxy's authority still reaches hosts of public ones."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    other = tmp_path / "inspection.pem"
    other.write_bytes(certificate_of("inspection.example"))
    endpoint = BackendEndpoint(
        url=f"https://127.0.0.1:{https_port}", token="secret", ca_file=str(other)
    )
    transport = Transport(endpoint)
    assert (await transport.request("GET", "/")).status == 204
    await transport.close()
