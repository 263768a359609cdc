"""The signature of a Windows package: whose it is, and that it covers every byte.

It never signs with a certificate that anybody trusts.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from installers.faults import BuildFault
from installers.windows.msi import build_packages
from installers.windows.msi_database import read_tables
from installers.windows.msi_identity import USER
from installers.windows.signing import CERTIFICATE_VARIABLE, KEY_VARIABLE, verify
from tests.packaging.small_bundle import make_small_bundle, missing_tools

MISSING = [
    *missing_tools(),
    *(name for name in ("osslsigncode", "openssl") if not shutil.which(name)),
]
pytestmark = [
    pytest.mark.xdist_group("msi_signature"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {MISSING}"),
]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for code signing, its own authority, and its key."""
    certificate, key = folder / "signer.pem", folder / "signer.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
    command += ["-subj", "/CN=Parley tests", "-addext", "extendedKeyUsage=codeSigning"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the signer's certificate and key."""
    return make_certificate(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Path:
    """Return a package that was signed while it was built."""
    folder = tmp_path_factory.mktemp("signed")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(CERTIFICATE_VARIABLE, str(certificate[0]))
        environment.setenv(KEY_VARIABLE, str(certificate[1]))
        (package,) = build_packages(make_small_bundle(folder), folder, "0.1.0", [USER])
    return package


def test_a_signed_package_is_its_signers_and_keeps_its_tables(
    signed: Path, certificate: tuple[Path, Path]
) -> None:
    verify(signed, certificate[0])
    assert read_tables(signed)["Property"].rows


def test_one_changed_byte_of_a_file_inside_breaks_the_signature(
    signed: Path, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    content = bytearray(signed.read_bytes())
    at = content.find(b"MSCF") + 4000  # within the cabinet, past the names
    assert at > 4000
    content[at] ^= 1
    changed = tmp_path / signed.name
    changed.write_bytes(content)
    with pytest.raises(BuildFault, match="was changed after it was signed"):
        verify(changed, certificate[0])


def test_a_package_signed_by_somebody_else_is_told_apart(signed: Path, tmp_path: Path) -> None:
    stranger, _ = make_certificate(tmp_path)
    with pytest.raises(BuildFault, match="signed by somebody else"):
        verify(signed, stranger)


def test_an_unsigned_package_is_told_apart(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CERTIFICATE_VARIABLE, raising=False)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    (package,) = build_packages(make_small_bundle(tmp_path), tmp_path, "0.1.0", [USER])
    with pytest.raises(BuildFault, match="signed"):
        verify(package, certificate[0])
