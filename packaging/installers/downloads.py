"""Getting one pinned file out of a public registry, through that registry's own client.

It never keeps a file whose hash differs from the one written down.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from installers.debian_source import fetch_source
from installers.faults import BuildFault
from installers.patience import run_patiently


@dataclass(frozen=True)
class Pinned:
    """One input of packaging/inputs.toml: where it comes from and what it must hash to."""

    name: str
    kind: str
    version: str
    file: str
    sha256: str
    package: str = ""  # its name in the registry, where that differs from `name`
    suite: str = ""  # of kind "debian-source": the suite it is taken from

    @property
    def registry_name(self) -> str:
        """Return the name under which its registry knows it."""
        return self.package or self.name


def download(wanted: Pinned, folder: Path) -> Path:
    """Return the file below `folder`, fetched when it isn't there; raises BuildFault."""
    path = folder / wanted.file
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as new:
            _fetch(wanted, Path(new))
            _check(wanted, _only_file(wanted, Path(new))).rename(path)
    return _check(wanted, path)


def _only_file(wanted: Pinned, folder: Path) -> Path:
    """Return what a client left in its folder: npm and apt name it in ways of their own."""
    found = list(folder.iterdir())
    if len(found) != 1:
        raise BuildFault(f"{wanted.kind} gave no {wanted.file} for {wanted.name}.")
    return found[0]


def _check(wanted: Pinned, path: Path) -> Path:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != wanted.sha256:
        raise BuildFault(
            f"{path.name} is another file than meant: its SHA-256 is {digest}. Remove it from "
            f"{path.parent.name} and build again; if it stays so, do not use it."
        )
    return path


def _fetch(wanted: Pinned, folder: Path) -> None:
    if wanted.kind == "debian-source":
        print(f"Downloading {wanted.file}")
        fetch_source(wanted.registry_name, wanted.suite, folder)
        return
    commands = {"pypi": _from_pypi, "npm": _from_npm, "debian": _from_debian}
    if wanted.kind not in commands:
        raise BuildFault(f"packaging/inputs.toml: {wanted.name} has no kind {wanted.kind!r}.")
    if wanted.kind == "pypi" and not wanted.file.endswith(".whl"):
        raise BuildFault(f"packaging/inputs.toml: {wanted.file} is no wheel; name one.")
    print(f"Downloading {wanted.file}")
    command = commands[wanted.kind](wanted)
    done = run_patiently(command, folder)
    if done.returncode != 0:
        raise BuildFault(
            f"{wanted.name} {wanted.version} can't be downloaded with {command[0]}: "
            f"{done.stderr.strip()[-400:]}"
        )


def _from_pypi(wanted: Pinned) -> list[str]:
    exact = f"{wanted.registry_name}=={wanted.version}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    pip += ["--no-deps", "--dest", "."]
    python, abi, platform = wanted.file.removesuffix(".whl").rsplit("-", 3)[-3:]
    tags = ["--platform", platform.split(".")[0]]
    if python.startswith("cp"):
        tags += ["--implementation", "cp", "--python-version", python[2:], "--abi", abi]
    return [*pip, "--only-binary", ":all:", *tags, exact]


def _from_npm(wanted: Pinned) -> list[str]:
    return ["npm", "pack", "--silent", f"{wanted.registry_name}@{wanted.version}"]


def _from_debian(wanted: Pinned) -> list[str]:
    return ["apt-get", "download", "-qq", f"{wanted.registry_name}={wanted.version}"]
