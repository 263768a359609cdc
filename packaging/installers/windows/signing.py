"""Authenticode signatures of programs, libraries and installer packages, with osslsigncode.

It never takes a vendor's signature away, and never asks for a key that is not in the environment.

PARLEY_SIGN_CERT (PEM: the certificate, then its intermediate ones) and PARLEY_SIGN_KEY (PEM) turn
signing on; PARLEY_SIGN_PASS is the key's password, PARLEY_SIGN_TIMESTAMP_URL an RFC 3161 service.
A file that its vendor signed (Python, Qt, Microsoft) gets ours as a second signature, so that
application control may allow it by either publisher. Without a time-stamping service the time
in a signature is that of the last commit, so that a second build is byte-identical; an RSA key
is needed for that too, since ECDSA draws a random number for each signature.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from installers.faults import BuildFault
from installers.inputs import source_date_epoch

CERTIFICATE_VARIABLE = "PARLEY_SIGN_CERT"
KEY_VARIABLE = "PARLEY_SIGN_KEY"
PASSWORD_VARIABLE = "PARLEY_SIGN_PASS"
TIMESTAMP_VARIABLE = "PARLEY_SIGN_TIMESTAMP_URL"
UNSIGNED = (
    "Unsigned preview: set PARLEY_SIGN_CERT and PARLEY_SIGN_KEY to sign what goes to employees."
)
_SIGNED_SUFFIXES = frozenset((".exe", ".dll", ".pyd"))
_NAME = "Parley"
_TOOL_S = 600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom signatures name: PEM files of certificate and key, and how to stamp the time."""

    certificate: Path
    key: Path
    password: str = ""
    timestamp_url: str = ""


def identity(environment: Mapping[str, str] = os.environ) -> Identity | None:
    """Return what the environment says to sign with, None where it says nothing.

    Raises BuildFault where it names only half, or a file that is not there.
    """
    names = [environment.get(name, "") for name in (CERTIFICATE_VARIABLE, KEY_VARIABLE)]
    if not any(names):
        return None
    if not all(names):
        raise BuildFault(f"To sign, set both {CERTIFICATE_VARIABLE} and {KEY_VARIABLE}.")
    for name in names:
        if not Path(name).is_file():
            raise BuildFault(f"{name}, which is to sign, is not there.")
    return Identity(
        Path(names[0]),
        Path(names[1]),
        environment.get(PASSWORD_VARIABLE, ""),
        environment.get(TIMESTAMP_VARIABLE, ""),
    )


def native_files(folder: Path) -> list[Path]:
    """Return all files below a folder that Windows loads as code and checks signatures of."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SIGNED_SUFFIXES)


def sign_all(paths: Iterable[Path]) -> bool:
    """Sign files in place; print and return False where the environment names no certificate."""
    whose = identity()
    if whose is None:
        print(UNSIGNED)
        return False
    for path in paths:
        _sign(path, whose)
    return True


def sign(path: Path) -> bool:
    """Sign one file in place, an .msi too; return False where nothing says whose it is to be."""
    return sign_all([path])


def verify(path: Path, authority: Path) -> None:
    """Check that a file is as it was signed by someone `authority`, a PEM file, vouches for.

    Raises BuildFault, with what is wrong with it, for any other file.
    """
    ran = _osslsigncode(["verify", "-CAfile", str(authority), "-in", str(path)])
    said = ran.stdout + ran.stderr
    if "MISMATCH" in said:
        raise BuildFault(f"{path.name} was changed after it was signed.")
    if "No signature found" in said:
        raise BuildFault(f"{path.name} is not signed.")
    if ran.returncode != 0:
        raise BuildFault(f"{path.name} is signed by somebody else, or its certificate ran out.")


def _sign(path: Path, whose: Identity) -> None:
    words = ["sign", "-certs", str(whose.certificate), "-key", str(whose.key), "-h", "sha256"]
    words += ["-n", _NAME, "-time", str(_signing_time(whose.certificate))]
    if path.suffix.lower() == ".msi":
        words.append("-add-msi-dse")
    elif _is_signed(path):
        words.append("-nest")
    if whose.timestamp_url:
        words += ["-ts", whose.timestamp_url]
    if whose.password:
        words += ["-readpass", "-"]
    signed = path.with_name(f"{path.name}.signed")
    signed.unlink(missing_ok=True)
    ran = _osslsigncode([*words, "-in", str(path), "-out", str(signed)], whose.password)
    if ran.returncode != 0 or not signed.is_file():
        signed.unlink(missing_ok=True)
        raise BuildFault(f"{path.name} can't be signed: {(ran.stderr or ran.stdout)[-400:]}")
    signed.chmod(path.stat().st_mode)
    signed.replace(path)


def _signing_time(certificate: Path) -> int:
    """Return the last commit's time, or the first at which the certificate holds, in Unix s."""
    begins = x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_before_utc
    return max(source_date_epoch(), int(begins.timestamp()))


def _is_signed(path: Path) -> bool:
    ran = _osslsigncode(["verify", "-in", str(path)])
    return "No signature found" not in ran.stdout + ran.stderr


def _osslsigncode(words: list[str], typed: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["osslsigncode", *words],
            input=typed,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TOOL_S,
            check=False,
        )
    except FileNotFoundError as missing:
        raise BuildFault("osslsigncode is missing: run .ci/packaging-tools once.") from missing
    except subprocess.TimeoutExpired as late:
        raise BuildFault(f"osslsigncode has not ended within {_TOOL_S:.0f} s.") from late
