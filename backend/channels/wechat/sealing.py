"""Owns the seal of WeChat's and WeCom's callbacks: their signature and their encryption.

It never believes bytes by their length alone, and it tells no one what was wrong with them.

Source: WeChat's "Message encryption and decryption": AES-256-CBC with the key's first 16 bytes
as IV; 16 random bytes, the length (4 bytes, big endian), the message, the receiver's id, PKCS #7
in blocks of 32.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32
_RANDOM = 16
_LENGTH = 4


class NotGenuine(ValueError):
    """The bytes were not sealed with this key for this receiver."""


def signature_of(*parts: str) -> str:
    """Return the signature over token, timestamp, nonce and, where sealed, the cipher text."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def is_signed(given: str, *parts: str) -> bool:
    """Tell in constant time whether a signature is the one over these parts."""
    return hmac.compare_digest(signature_of(*parts).encode(), given.encode("utf-8", "replace"))


class Seal:
    """Opens what was sealed with one EncodingAESKey for one receiver (app id or corp id)."""

    def __init__(self, encoding_aes_key: str, receiver: str) -> None:
        """`encoding_aes_key` has 43 characters; raises ValueError for anything else."""
        try:
            self._key = base64.b64decode(encoding_aes_key + "=", validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("The EncodingAESKey is not one of WeChat's.") from error
        if len(self._key) != 32:
            raise ValueError("The EncodingAESKey must have 43 characters.")
        self._receiver = receiver.encode()

    def open(self, sealed: str) -> bytes:
        """Return the message; raises NotGenuine for what is not sealed for the receiver."""
        try:
            data = base64.b64decode(sealed, validate=True)
            decryptor = Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16])).decryptor()
            padded = decryptor.update(data) + decryptor.finalize()
        except (binascii.Error, ValueError) as error:
            raise NotGenuine("not a sealed message") from error
        plain = _unpadded(padded)
        size = int.from_bytes(plain[_RANDOM : _RANDOM + _LENGTH], "big")
        message = plain[_RANDOM + _LENGTH :][:size]
        receiver = plain[_RANDOM + _LENGTH + size :]
        if len(message) != size or not hmac.compare_digest(receiver, self._receiver):
            raise NotGenuine("not sealed for this account")
        return message


def _unpadded(padded: bytes) -> bytes:
    count = padded[-1] if padded else 0
    if not 1 <= count <= _BLOCK or padded[-count:] != bytes([count]) * count:
        raise NotGenuine("not a sealed message")
    plain = padded[:-count]
    if len(plain) < _RANDOM + _LENGTH:
        raise NotGenuine("not a sealed message")
    return plain
