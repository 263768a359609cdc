"""The upstream archive of a Debian source package, of a suite this machine need not run.

It never touches the package lists and sources that the machine itself uses.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from installers.faults import BuildFault
from installers.patience import run_patiently

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_APT_S = 900.0


def fetch_source(package: str, suite: str, folder: Path) -> None:
    """Put the upstream archive of a source package into `folder`; raises BuildFault.

    An upstream archive stays the same through a suite's security updates, unlike packages.
    """
    with tempfile.TemporaryDirectory(prefix="parley-apt-") as state:
        options = _private_apt(Path(state), suite)
        _apt([*options, "update"], folder)
        command = ["source", "--download-only", "--tar-only", package]
        _apt([*options, "--option", "APT::Sandbox::User=root", *command], folder)


def _private_apt(state: Path, suite: str) -> list[str]:
    """Return apt options that know one suite's sources alone, from where this machine gets its."""
    (state / "lists" / "partial").mkdir(parents=True)
    (state / "cache" / "archives" / "partial").mkdir(parents=True)
    sources = state / "only.sources"
    origin = f"URIs: {_debian_origin()}\nSuites: {suite}\nComponents: main\n"
    sources.write_text(f"Types: deb-src\n{origin}Signed-By: {_KEYRING}\n", encoding="utf-8")
    settings = {
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
    }
    return [word for key, value in settings.items() for word in ("--option", f"{key}={value}")]


def _debian_origin() -> str:
    """Return the address this machine has its Debian packages from."""
    wanted = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    told = _apt(["indextargets", "--format", wanted], Path.cwd())
    for line in told.splitlines():
        if line.startswith("Debian|Debian|main|"):
            return line.split("|")[3]
    raise BuildFault(
        "apt knows no Debian package lists here: run apt-get update, then build again."
    )


def _apt(arguments: list[str], folder: Path) -> str:
    try:
        ran = run_patiently(["apt-get", "-qq", *arguments], folder, timeout_s=_APT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFault(f"apt-get can't fetch a source package: {error}") from error
    if ran.returncode != 0:
        raise BuildFault(f"apt-get can't fetch a source package: {ran.stderr.strip()[-400:]}")
    return ran.stdout
