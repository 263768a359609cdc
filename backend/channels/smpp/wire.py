"""The bytes of SMPP 3.4: headers, binds, texts out and in, and their optional parameters.

It never decodes a text and knows no connection.

Source: SMPP Protocol Specification v3.4, issue 1.2, chapters 3 to 5.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

HEADER_BYTES = 16
MOST_PDU_BYTES = 80_000  # a message_payload holds 64 kB
RESPONSE = 0x8000_0000
GENERIC_NACK = 0x8000_0000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, DELIVER_SM = 0x04, 0x05
UNBIND, ENQUIRE_LINK = 0x06, 0x15
ALERT_NOTIFICATION, OUTBIND = 0x102, 0x0B
# Our own line before what a centre hands over: an id of ours; 3.4 reserves the range.
NOTE = 0x0001_0200

OK, INVALID_COMMAND, QUEUE_FULL = 0x00, 0x03, 0x14
HAS_HEADER = 0x40  # esm_class: the text begins with a user data header
RECEIPT_TYPES = frozenset({0x04, 0x20})  # esm_class: a receipt, a notice on the way
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
RECEIPTED_ID, MESSAGE_STATE, PAYLOAD = 0x001E, 0x0427, 0x0424
INTERNATIONAL, ALPHANUMERIC = 1, 5
_VERSION = 0x34
_HEADER = struct.Struct(">IIII")


class Pdu(NamedTuple):
    """One protocol data unit; `body` is what follows its 16 bytes of header."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        """Tell whether it answers one of ours."""
        return bool(self.command & RESPONSE)


class Address(NamedTuple):
    """A number or name with its type (TON) and numbering plan (NPI)."""

    ton: int
    npi: int
    value: str


class ShortMessage(NamedTuple):
    """The fields of a deliver_sm or submit_sm that matter here; `content` as it was sent."""

    source: Address
    destination: Address
    esm_class: int
    data_coding: int
    content: bytes
    parameters: Mapping[int, bytes]

    @property
    def is_receipt(self) -> bool:
        """Tell whether it reports on a text of ours."""
        kind = self.esm_class & 0x3C
        return kind in RECEIPT_TYPES or (not kind and RECEIPTED_ID in self.parameters)


def encode(pdu: Pdu) -> bytes:
    """Return the unit's bytes."""
    size = HEADER_BYTES + len(pdu.body)
    return _HEADER.pack(size, pdu.command, pdu.status, pdu.sequence) + pdu.body


def body_size(header: bytes) -> int:
    """Return how many bytes follow a header; raises ValueError for an impossible length."""
    size: int = _HEADER.unpack(header)[0]
    if not HEADER_BYTES <= size <= MOST_PDU_BYTES:
        raise ValueError("the length of the unit is impossible")
    return size - HEADER_BYTES


def decode(header: bytes, body: bytes) -> Pdu:
    """Return the unit of a header and what follows it."""
    _, command, status, sequence = _HEADER.unpack(header)
    return Pdu(command, status, sequence, body)


def split(raw: bytes) -> list[Pdu]:
    """Return the units that lie one behind the other; raises ValueError when they do not fit."""
    units, at = [], 0
    while at < len(raw):
        header = raw[at : at + HEADER_BYTES]
        if len(header) < HEADER_BYTES:
            raise ValueError("a header is cut off")
        end = at + HEADER_BYTES + body_size(header)
        if end > len(raw):
            raise ValueError("a unit is cut off")
        units.append(decode(header, raw[at + HEADER_BYTES : end]))
        at = end
    return units


def bind_body(system_id: str, password: str, system_type: str) -> bytes:
    """Return the body of any of the three binds; raises ValueError for what is not ASCII."""
    return (
        b"".join(_c_string(each) for each in (system_id, password, system_type))
        + bytes([_VERSION, 0, 0])
        + _c_string("")
    )


def submit_body(
    source: Address, destination: Address, *, esm_class: int, data_coding: int, content: bytes
) -> bytes:
    """Return the body of a submit_sm that asks for a delivery receipt."""
    fields = (
        _c_string(""),
        _address(source),
        _address(destination),
        bytes([esm_class, 0, 0]),
        _c_string(""),
        _c_string(""),
        bytes([1, 0, data_coding, 0, len(content)]),
        content,
    )
    return b"".join(fields)


def read_short_message(body: bytes) -> ShortMessage:
    """Return the fields of a deliver_sm; raises ValueError when they do not fit."""
    reader = _Reader(body)
    reader.text()
    source, destination = reader.address(), reader.address()
    esm_class = reader.octets(3)[0]
    reader.text()
    reader.text()
    data_coding, _, size = reader.octets(5)[2:]
    content = reader.octets(size)
    parameters = reader.parameters()
    return ShortMessage(
        source,
        destination,
        esm_class,
        data_coding,
        content or parameters.get(PAYLOAD, b""),
        parameters,
    )


def read_id(body: bytes) -> str:
    """Return the message id of a response; some centres leave out the closing zero."""
    return body.partition(b"\0")[0].decode("ascii", "replace").strip()


def note(external_id: str, *, final: bool) -> bytes:
    """Return our line before a unit: the id it is known by, and whether that is settled by it."""
    return encode(Pdu(NOTE, 0, int(final), _c_string(external_id)))


def _c_string(value: str) -> bytes:
    encoded = value.encode("ascii")
    if b"\0" in encoded:
        raise ValueError("a zero within a text")
    return encoded + b"\0"


def _address(address: Address) -> bytes:
    return bytes([address.ton, address.npi]) + _c_string(address.value)


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def octets(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("a field is cut off")
        self._at += count
        return taken

    def text(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise ValueError("a text has no end")
        taken, self._at = self._body[self._at : end], end + 1
        return taken.decode("ascii", "replace")

    def address(self) -> Address:
        ton, npi = self.octets(2)
        return Address(ton, npi, self.text())

    def parameters(self) -> dict[int, bytes]:
        found = {}
        while len(self._body) - self._at >= 4:
            tag, size = struct.unpack(">HH", self.octets(4))
            found[tag] = self.octets(size)
        return found
