"""Writes SHA256SUMS over everything that was built, and its detached signature where asked for.

It never signs without a key given by the environment, and never writes a key anywhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from installers.faults import BuildFault
from installers.places import SUMS, SUMS_SIGNATURE
from installers.windows.signing import (
    CERTIFICATE_VARIABLE,
    KEY_VARIABLE,
    PASSWORD_VARIABLE,
    Identity,
    identity,
)

FILE_NAME = SUMS.name
SIGNATURE_NAME = SUMS_SIGNATURE.name
_OWN = (FILE_NAME, SIGNATURE_NAME)


def write_sums(folder: Path, strangers: Iterable[str] = ()) -> Path:
    """Write the digests of all files below `folder` in the order of their names, for sha256sum.

    What `strangers` names at its top is left out.
    """
    left_out = {*_OWN, *strangers}
    files = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in left_out
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
    signer = identity(environ)
    if signer is None:
        signature.unlink(missing_ok=True)
        print(f"{FILE_NAME} is not signed: {CERTIFICATE_VARIABLE} and {KEY_VARIABLE} are not set.")
        return None
    signature.write_bytes(_cms(sums, signer))
    return signature


def _cms(sums: Path, signer: Identity) -> bytes:
    try:
        passphrase = signer.password.encode() if signer.password else None
        key = serialization.load_pem_private_key(signer.key.read_bytes(), passphrase)
        first, *others = x509.load_pem_x509_certificates(signer.certificate.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise BuildFault(
            f"{KEY_VARIABLE} or {CERTIFICATE_VARIABLE} can't be used ({error}): give PEM files, "
            f"and the key's password in {PASSWORD_VARIABLE} where it has one."
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
