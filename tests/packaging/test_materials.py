"""The papers of a release: what they name, what they refuse, that they come out the same twice.

They build no package: the quick ones make a small bundle of their own, the others look at what
`make test-packaging` has built.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sysconfig
import tarfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from installers import __main__ as command_line
from installers.faults import BuildFault
from installers.inputs import _NOT_RUN, REQUIREMENTS, site_packages
from installers.materials import write
from installers.materials.bundles import existing
from installers.materials.checksums import sign_sums, write_sums
from installers.materials.declared import read_declared
from installers.materials.inventory import Item, gather
from installers.materials.licences import NoExpression, is_expression
from installers.materials.notices import notices
from installers.materials.sbom import bill
from installers.materials.wheels import normalised, read_wheels
from installers.places import BUNDLES, PACKAGES, ROOT, version
from installers.policies import write as policies
from tests.packaging.conftest import Built

ELF = b"\x7fELF" + bytes(60)
DECLARED = read_declared()


def lay_wheel(
    site: Path, name: str, licence: str = "MIT", *, text: str = "Do as you like."
) -> None:
    """Lay an unpacked wheel with one package and one compiled module into `site`."""
    info = site / f"{name}-1.0.dist-info"
    (info / "licenses").mkdir(parents=True)
    (site / name).mkdir()
    (site / name / "_fast.so").write_bytes(ELF)
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
    metadata += f"License-Expression: {licence}\n" if licence else ""
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    record = f"{name}/_fast.so,,\n{info.name}/METADATA,,\n"
    if text:
        (info / "licenses" / "LICENSE").write_text(text, encoding="utf-8")
        record += f"{info.name}/licenses/LICENSE,,\n"
    (info / "RECORD").write_text(record, encoding="utf-8")


@pytest.fixture
def made(tmp_path: Path) -> tuple[str, Path, Path]:
    """Return a system with one wheel and a bundle that holds its module and OpenSSL."""
    site, folder = tmp_path / "site", tmp_path / "bundle"
    lay_wheel(site, "quick")
    (folder / "_internal" / "quick").mkdir(parents=True)
    (folder / "_internal" / "quick" / "_fast.so").write_bytes(ELF)
    words = b"\x00OpenSSL 3.0.19 27 Jan 2026\x00"
    (folder / "_internal" / "libcrypto.so.3").write_bytes(ELF + words)
    (folder / "_internal" / "libssl.so.3").write_bytes(ELF)
    (folder / "parley").write_bytes(ELF + b"_MEIPASS2\x00")
    return "linux", site, folder


def find(items: list[Item], name: str) -> Item:
    """Return the one item of a name."""
    (found,) = [item for item in items if item.name == name]
    return found


@pytest.mark.parametrize(
    ("expression", "may_ship"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("LGPL-3.0-only", False),
        ("LGPL-3.0-only OR MIT", True),
        ("MIT AND GPL-2.0-only", False),
        ("(MIT OR GPL-2.0-only) AND Zlib", True),
        ("GPL-2.0-or-later", False),
        ("GPL-2.0-or-later WITH Bootloader-exception", True),
    ],
)
def test_an_expression_ships_only_where_what_it_asks_for_is_allowed(
    expression: str, may_ship: bool
) -> None:
    """AND asks for all, OR for one, an exception belongs to its licence."""
    assert DECLARED.allowed.permits(expression) is may_ship


def test_lesser_gpl_ships_as_a_file_of_its_own_only() -> None:
    """What can't be replaced where Parley is installed must not be under it."""
    assert DECLARED.allowed.permits("LGPL-3.0-only", dynamic=True)
    assert not DECLARED.allowed.permits("LGPL-3.0-only")


@pytest.mark.parametrize("text", ["", "MIT OR", "BSD License", "(MIT", "MIT)", "WITH MIT", "a/b"])
def test_what_is_no_expression_is_not_taken_for_one(text: str) -> None:
    """A vague word in a wheel's metadata is not guessed at."""
    assert not is_expression(text)
    with pytest.raises(NoExpression):
        DECLARED.allowed.permits(text)


def test_all_declared_components_may_ship_and_have_their_texts() -> None:
    """Each text of packaging/licences names its source in its first line."""
    for part in DECLARED.parts:
        assert DECLARED.allowed.permits(part.licence, dynamic=part.dynamic), part.name
        assert part.texts or part.wheel_text, part.name
        for name in part.texts:
            path = ROOT / name if "/" in name else ROOT / "packaging" / "licences" / name
            assert path.stat().st_size > 100, name
    for path in (ROOT / "packaging" / "licences").glob("*.txt"):
        assert path.read_text(encoding="utf-8").startswith("Source of this text: "), path.name


def test_every_run_time_wheel_of_the_lock_has_a_licence_and_its_text(tmp_path: Path) -> None:
    """Read from what is installed here: a new dependency without either is found at once."""
    installed = Path(sysconfig.get_path("purelib"))
    for info in installed.glob("*.dist-info"):
        if normalised(info.name.partition("-")[0]) in run_time_names():
            (tmp_path / info.name).symlink_to(info)
    wheels = read_wheels(tmp_path, DECLARED)
    assert len(wheels) > 30
    for wheel in wheels:
        assert DECLARED.allowed.permits(wheel.licence, dynamic=wheel.dynamic), wheel.name
        assert wheel.texts, wheel.name


def run_time_names() -> set[str]:
    """Return the names in the lock of what Parley runs on."""
    lock = (REQUIREMENTS / "run.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)) - _NOT_RUN


def test_a_bundle_is_told_in_wheels_and_components(made: tuple[str, Path, Path]) -> None:
    """Files go to their owners, versions come out of the files, fonts and icons are named."""
    items = gather(DECLARED, [made]).ordered()
    assert [str(file.path) for file in find(items, "quick").files] == ["_internal/quick/_fast.so"]
    openssl = find(items, "OpenSSL")
    assert openssl.version == "3.0.19"
    assert [file.path.name for file in openssl.files] == ["libcrypto.so.3", "libssl.so.3"]
    assert find(items, "PyInstaller bootloader").version
    assert find(items, "Inter").licence == "OFL-1.1"
    assert find(items, "Lucide").version


def test_a_native_file_that_nobody_claims_stops_the_build(made: tuple[str, Path, Path]) -> None:
    """Whatever its name ends in: it is known by its first bytes."""
    (made[2] / "_internal" / "surprise.dat").write_bytes(b"MZ" + bytes(60))
    with pytest.raises(BuildFault, match=r"surprise\.dat"):
        gather(DECLARED, [made])


@pytest.mark.parametrize("name", ["libreadline.so.8", "libgdbm.so.6", "readline.so"])
def test_a_library_under_the_gpl_is_claimed_by_nobody(
    made: tuple[str, Path, Path], name: str
) -> None:
    """Python's bindings to such libraries must not slip into a bundle."""
    (made[2] / "_internal" / name).write_bytes(ELF)
    with pytest.raises(BuildFault, match=re.escape(name)):
        gather(DECLARED, [made])


@pytest.mark.parametrize(
    ("licence", "text", "words"),
    [
        ("GPL-3.0-only", "Text.", "may not ship"),
        ("", "Text.", "names no licence"),
        ("MIT", "", "brings no licence text"),
    ],
)
def test_a_wheel_that_may_not_ship_stops_the_build(
    made: tuple[str, Path, Path], licence: str, text: str, words: str
) -> None:
    """The sentence names the wheel and what to do."""
    lay_wheel(made[1], "doubtful", licence, text=text)
    with pytest.raises(BuildFault, match=words):
        gather(DECLARED, [made])


def test_a_left_out_wheel_is_not_named(made: tuple[str, Path, Path]) -> None:
    """What consists of modules that no bundle takes along does not ship."""
    lay_wheel(made[1], "pycparser")
    assert "pycparser" not in {item.name for item in gather(DECLARED, [made]).ordered()}


def test_the_papers_of_one_bundle_are_valid_and_the_same_twice(
    made: tuple[str, Path, Path],
) -> None:
    """The bill passes CycloneDX's strict schema; nothing in it depends on the hour."""
    first, second = (papers(made) for _ in range(2))
    assert first == second
    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(first[0])
    document = json.loads(first[0])
    references = {one["ref"] for one in document["dependencies"]}
    for edge in document["dependencies"]:
        assert set(edge.get("dependsOn", [])) <= references
    names = [one["bom-ref"] for one in flat(document["components"])]
    assert len(names) == len(set(names))
    for item in gather(DECLARED, [made]).ordered():
        assert f"\n{item.name}" in first[1]


def papers(made: tuple[str, Path, Path]) -> tuple[str, str]:
    """Return bill and notices of a made bundle."""
    items = gather(DECLARED, [made]).ordered()
    hashes = {"quick": ("ab" * 32,)}
    return bill(items, {}, hashes, version="1.2.3", at_s=1_700_000_000), notices(items, "1.2.3")


def flat(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return components with those inside them."""
    return [one for each in components for one in [each, *flat(each.get("components", []))]]


def test_checksums_cover_everything_below_and_are_sorted(tmp_path: Path) -> None:
    """sha256sum itself agrees, and the sums never list themselves."""
    (tmp_path / "policies").mkdir()
    for name in ("b.msi", "a.deb", "policies/Parley.admx"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    first = write_sums(tmp_path).read_bytes()
    assert write_sums(tmp_path).read_bytes() == first
    names = [line.split("  ", 1)[1] for line in first.decode().splitlines()]
    assert names == ["a.deb", "b.msi", "policies/Parley.admx"]
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True)


def test_what_no_build_of_this_version_writes_is_not_vouched_for(tmp_path: Path) -> None:
    """An older package left behind, or a file put there."""
    for name in (f"Parley-{version()}.dmg", "Parley-0.0.9.dmg", "setup.exe"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    sums = write_sums(tmp_path, write.strangers(tmp_path)).read_text(encoding="utf-8")
    assert [line[66:] for line in sums.splitlines()] == [f"Parley-{version()}.dmg"]


def test_a_build_leaves_no_sums_of_what_it_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that is unknown builds nothing, and takes nothing away."""
    for name in ("SUMS", "SUMS_SIGNATURE"):
        path = tmp_path / name
        path.write_text("old", encoding="utf-8")
        monkeypatch.setattr(command_line, name, path)
    assert command_line.main(["nonsense"]) == 2
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(policies, "build", list)
    assert command_line.main(["policies"]) == 0
    assert not list(tmp_path.iterdir())


def test_a_signature_of_the_checksums_holds_for_them_alone(tmp_path: Path) -> None:
    """OpenSSL verifies it as the admin guide says; one changed byte and it does not."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (tmp_path / "a.deb").write_text("a", encoding="utf-8")
    sums = write_sums(tmp_path)
    key, certificate = make_certificate(tmp_path)
    environ = {"PARLEY_SIGN_KEY": str(key), "PARLEY_SIGN_CERT": str(certificate)}
    signature = sign_sums(sums, environ)
    assert signature is not None
    first = signature.read_bytes()
    assert sign_sums(sums, environ) == signature
    assert signature.read_bytes() == first
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(signature)]
    command += ["-content", str(sums), "-CAfile", str(certificate), "-purpose", "any"]
    command += ["-out", "/dev/null"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    sums.write_bytes(sums.read_bytes().replace(b"a.deb", b"b.deb"))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_without_a_key_no_old_signature_stays(tmp_path: Path) -> None:
    """It would be another file's."""
    sums = write_sums(tmp_path)
    (tmp_path / "SHA256SUMS.sig").write_bytes(b"old")
    assert sign_sums(sums, {}) is None
    assert not (tmp_path / "SHA256SUMS.sig").exists()


def test_a_key_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    """It names the variables and what they must hold."""
    sums = write_sums(tmp_path)
    environ = {"PARLEY_SIGN_KEY": str(sums), "PARLEY_SIGN_CERT": str(sums)}
    with pytest.raises(BuildFault, match="PEM"):
        sign_sums(sums, environ)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate for signing that vouches for itself."""
    key, certificate = folder.parent / "key.pem", folder.parent / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test"]
    command += ["-days", "2", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return key, certificate


def test_without_a_bundle_there_are_no_papers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They tell what ships, so something must have been built."""
    monkeypatch.setattr(write, "BUNDLES", tmp_path)
    with pytest.raises(BuildFault, match="make packages"):
        write.build()


# ---- On what was built --------------------------------------------------------------------------


@pytest.mark.needs_packages
def test_the_bill_names_every_wheel_that_ships_and_none_that_does_not(package: Built) -> None:
    """Compared with the unpacked wheels of each system whose bundle is built."""
    document = json.loads(package("Parley-{v}.cdx.json").read_text(encoding="utf-8"))
    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    named = {
        (one["name"], system)
        for one in document["components"]
        if one["purl"].startswith("pkg:pypi/") and one["name"] != "PyInstaller bootloader"
        for system in systems_of(one)
    }
    shipped = {
        (wheel.name, system)
        for system, _ in existing(BUNDLES)
        for wheel in read_wheels(site_packages(write._SITES[system]), DECLARED)
    }
    assert named == shipped
    assert {name for name, _ in named} <= run_time_names()
    assert not {name for name, _ in named} & {"hatchling", "editables", "pytest", "pyinstaller"}


def systems_of(component: dict[str, Any]) -> list[str]:
    """Return the systems a component of the bill is for."""
    return [one["value"] for one in component["properties"] if one["name"] == "parley:system"]


@pytest.mark.needs_packages
def test_the_bill_names_what_the_bundles_hold_besides_wheels(package: Built) -> None:
    """Python, Qt, OpenSSL, SQLite and SQLCipher, with the versions their files name."""
    document = json.loads(package("Parley-{v}.cdx.json").read_text(encoding="utf-8"))
    everything = flat(document["components"])
    for name in ("CPython", "Qt", "OpenSSL", "SQLCipher", "SQLite", "Inter", "Lucide"):
        found = [one for one in everything if one["name"] == name]
        assert found, name
        assert all(one.get("version") for one in found), name
    for one in everything:
        if one["type"] != "file":
            (licence,) = one["licenses"]
            assert DECLARED.allowed.permits(licence["expression"], dynamic=True), one["name"]
            assert one["purl"]


@pytest.mark.needs_packages
def test_the_notices_tell_every_component_and_lie_in_every_bundle(package: Built) -> None:
    """So that nobody gets Parley without them."""
    text = package("THIRD-PARTY-NOTICES.txt").read_text(encoding="utf-8")
    document = json.loads(package("Parley-{v}.cdx.json").read_text(encoding="utf-8"))
    for one in flat(document["components"]):
        if one["type"] != "file":
            assert f"\n{one['name']}" in text
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "SIL OPEN FONT LICENSE" in text.upper()
    for system in ("windows", "macos"):
        (found,) = (BUNDLES / system).rglob("THIRD-PARTY-NOTICES.txt")
        assert f"\nSystems: {system}\n" in found.read_text(encoding="utf-8")
    files = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", str(package("parley_{v}_amd64.deb"))],
        check=True,
        capture_output=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(files)) as tree:
        (own,) = [one for one in tree if one.name.endswith("usr/share/doc/parley/copyright")]
        content = tree.extractfile(own)
        assert content is not None
        assert "\nSystems: linux\n" in content.read().decode()


@pytest.mark.needs_packages
def test_a_second_writing_gives_the_same_papers(
    package: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte."""
    document = json.loads(package("Parley-{v}.cdx.json").read_text(encoding="utf-8"))
    at = document["metadata"]["timestamp"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(datetime.fromisoformat(at).timestamp())))
    monkeypatch.setattr(write, "PACKAGES", tmp_path)
    write.build()
    for name in (f"Parley-{version()}.cdx.json", "THIRD-PARTY-NOTICES.txt"):
        assert (tmp_path / name).read_bytes() == (PACKAGES / name).read_bytes()


@pytest.mark.needs_packages
def test_the_checksums_are_those_of_all_packages(package: Built) -> None:
    """Nothing that was built is left out."""
    sums = package("SHA256SUMS")
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", sums.name], cwd=PACKAGES, check=True
    )
    named = {line.split("  ", 1)[1] for line in sums.read_text(encoding="utf-8").splitlines()}
    built = {p.relative_to(PACKAGES).as_posix() for p in PACKAGES.rglob("*") if p.is_file()}
    assert named == built - {"SHA256SUMS", "SHA256SUMS.sig"}
