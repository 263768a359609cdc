"""Writes SHA256SUMS over everything that was built, and its detached signature where asked for.

It never signs without a key given by the environment, and never writes a key anywhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from installers.faults import BuildFault

FILE_NAME = "SHA256SUMS"
SIGNATURE_NAME = "SHA256SUMS.sig"
KEY_VARIABLE = "PARLEY_SIGN_KEY"
CERTIFICATE_VARIABLE = "PARLEY_SIGN_CERT"
PASSPHRASE_VARIABLE = "PARLEY_SIGN_PASS"
_OWN = (FILE_NAME, SIGNATURE_NAME)


def write_sums(folder: Path) -> Path:
    """Write the digests of all files below `folder` in the order of their names, for sha256sum."""
    files = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).as_posix() not in _OWN
    )
    lines = [f"{_digest(folder / name)}  {name}\n" for name in files]
    written = folder / FILE_NAME
    written.write_text("".join(lines), encoding="utf-8")
    return written


def sign_sums(sums: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Sign SHA256SUMS, detached (CMS, DER), with the key and certificate the environment names.

    Returns the signature's file, None where no key is named: then an older signature is removed,
    because it can't be this file's. Raises BuildFault where the key can't be used.
    """
    signature = sums.with_name(SIGNATURE_NAME)
    key_path, certificate_path = environ.get(KEY_VARIABLE), environ.get(CERTIFICATE_VARIABLE)
    if not key_path or not certificate_path:
        signature.unlink(missing_ok=True)
        print(f"{FILE_NAME} is not signed: {CERTIFICATE_VARIABLE} and {KEY_VARIABLE} are not set.")
        return None
    signature.write_bytes(
        _cms(sums, Path(key_path), Path(certificate_path), environ.get(PASSPHRASE_VARIABLE))
    )
    return signature


def _cms(sums: Path, key_path: Path, certificate_path: Path, passphrase: str | None) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import pkcs7

    try:
        key = serialization.load_pem_private_key(
            key_path.read_bytes(), passphrase.encode() if passphrase else None
        )
        first, *others = x509.load_pem_x509_certificates(certificate_path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise BuildFault(
            f"{KEY_VARIABLE} or {CERTIFICATE_VARIABLE} can't be used ({error}): give PEM files, "
            f"and the key's passphrase in {PASSPHRASE_VARIABLE} where it has one."
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise BuildFault(f"{KEY_VARIABLE} must be an RSA or an elliptic-curve key.")
    builder = pkcs7.PKCS7SignatureBuilder().set_data(sums.read_bytes())
    builder = builder.add_signer(first, key, hashes.SHA256())
    for other in others:
        builder = builder.add_certificate(other)
    # Without attributes there is no time in it: an RSA key signs the same file by the same bytes.
    options = [
        pkcs7.PKCS7Options.DetachedSignature,
        pkcs7.PKCS7Options.Binary,
        pkcs7.PKCS7Options.NoAttributes,
    ]
    return builder.sign(serialization.Encoding.DER, options)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
