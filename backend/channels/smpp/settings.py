"""Owns the settings of an SMPP account as values: where, as whom, from what number.

It never opens a connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple

from backend.channels import faults
from backend.channels.modules import SettingField
from backend.channels.smpp.wire import ALPHANUMERIC, INTERNATIONAL, Address

FIELDS = (
    SettingField(
        name="host", words="Host of the SMS centre, as its operator told you", identity="system"
    ),
    SettingField(name="port", words="Port", required=False, default="2775"),
    SettingField(name="system_id", words="System id (user name)", identity="system"),
    SettingField(name="password", words="Password", secret=True),
    SettingField(name="system_type", words="System type, if one was told", required=False),
    SettingField(
        name="source", words="Number to send from, with +; a short code; or a name of 11 letters"
    ),
    SettingField(
        name="binds",
        words="transceiver (one connection), or separate (a transmitter and a receiver)",
        required=False,
        default="transceiver",
    ),
    SettingField(name="tls", words="yes, or no", required=False, default="no"),
    SettingField(
        name="tls_authority",
        words="Certificate (PEM) the centre's own is signed with, unless a public one",
        required=False,
    ),
    SettingField(
        name="receipt_ids",
        words="same, or decimal (receipts repeat the message's hexadecimal id in decimal)",
        required=False,
        default="same",
    ),
)
_MOST_NAME = 11
_TELEPHONE_PLAN = 1


class SmppSettings(NamedTuple):
    """The settings of one account, checked."""

    host: str
    port: int
    system_id: str
    password: str
    system_type: str
    source: Address
    separate: bool
    tls: bool
    tls_authority: str
    decimal_receipt_ids: bool

    def receipt_id(self, message_id: str) -> str:
        """Return the id by which receipts will name a message the centre gave this id."""
        if not self.decimal_receipt_ids:
            return message_id
        try:
            return str(int(message_id, 16))
        except ValueError:
            return message_id

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what a connection is secured with, None without TLS; raises AccountFault."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cadata=self.tls_authority or None)
        except (ssl.SSLError, ValueError) as error:
            raise faults.AccountFault(
                "The account's tls_authority is not a certificate."
            ) from error


def read_settings(given: Mapping[str, str]) -> SmppSettings:
    """Return checked settings; raises AccountFault with what to mend."""
    try:
        port = int(given.get("port") or "2775")
    except ValueError as error:
        raise faults.AccountFault("The account's port is not a number.") from error
    binds = given.get("binds") or "transceiver"
    if binds not in {"transceiver", "separate"}:
        raise faults.AccountFault("The account's binds must be transceiver or separate.")
    texts = [given[name] for name in ("system_id", "password")] + [given.get("system_type", "")]
    if not all(text.isascii() and "\0" not in text for text in texts):
        raise faults.AccountFault(
            "The account's system id or password has other than ASCII letters."
        )
    return SmppSettings(
        host=given["host"],
        port=port,
        system_id=texts[0],
        password=texts[1],
        system_type=texts[2],
        source=source_address(given["source"]),
        separate=binds == "separate",
        tls=given.get("tls") == "yes",
        tls_authority=given.get("tls_authority", ""),
        decimal_receipt_ids=given.get("receipt_ids") == "decimal",
    )


def source_address(source: str) -> Address:
    """Return the address messages come from; raises AccountFault for what can't be one."""
    digits = source.removeprefix("+")
    if source.startswith("+") and digits.isascii() and digits.isdecimal():
        return Address(INTERNATIONAL, _TELEPHONE_PLAN, digits)
    if digits.isascii() and digits.isdecimal():
        return Address(0, 0, digits)
    if source.isascii() and source.isprintable() and len(source) <= _MOST_NAME:
        return Address(ALPHANUMERIC, 0, source)
    raise faults.AccountFault("The account's source must be a number or a name of 11 letters.")


def destination_address(address: str) -> Address:
    """Return a client's number; raises RecipientInvalid for what is not one."""
    digits = address.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= 20):
        raise faults.RecipientInvalid("The client's address is not a phone number.")
    ton = INTERNATIONAL if address.startswith("+") else 0
    return Address(ton, _TELEPHONE_PLAN, digits)


def shown_number(address: Address) -> str:
    """Return a number as contact points hold it: with + where the centre says international."""
    if address.ton == INTERNATIONAL and address.value.isdecimal():
        return f"+{address.value}"
    return address.value
