"""A Debian without anything on it but Debian, to install packages in and remove them from.

It never touches the machine's own packages: all happens below a folder that is thrown away.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from installers.patience import PAUSES_S
from installers.places import CACHE
from tests.support.surroundings import ROOT

ROOTS = CACHE / "roots"
USER = "tester"
HOME = Path("/home") / USER
SESSION_PACKAGES = ("dbus-daemon", "gnome-keyring")
_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
# What installing, removing or running anything leaves on any Debian.
_PASSING = ("/home/", "/proc", "/dev", "/sys", "/run", "/tmp/", "/var/cache/", "/var/log/")
_PASSING_STATE = ("/var/lib/apt/", "/var/lib/dpkg/", "/etc/ld.so.cache")

# How long one try of what downloads may take.
_FETCH_S = 1200.0
Done = subprocess.CompletedProcess[str]

_INSIDE = """
root="$1" archives="$2"; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$archives" "$root/var/cache/apt/archives"
exec chroot "$@"
"""


class CleanRoot:
    """One such Debian; `run` runs commands in it, as root or as its one user."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(
        self, *command: str, as_user: bool = False, timeout_s: float = 600, **environment: str
    ) -> Done:
        """Run a command in a process space of its own; return what it printed and its status."""
        who = [f"--userspec={USER}:{USER}"] if as_user else []
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(HOME) if as_user else "/root",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        } | environment
        inner = [*who, str(self.path), *command]
        outer = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _INSIDE]
        return subprocess.run(
            [*outer, "sh", str(self.path), str(_archives()), *inner],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def apt(self, *words: str) -> str:
        """Run apt-get and return what it printed; the test fails where it fails.

        What has to be downloaded first may come later than at the first try; the rest may not.
        """
        options = ("-y", "-qq", "-o", "APT::Keep-Downloaded-Packages=true")
        command = ("apt-get", *options, "--no-install-recommends")
        if words[0] == "install":
            fetched = _patiently(
                lambda: self.run(*command, "--download-only", *words, timeout_s=_FETCH_S),
                lambda: self.run(*command, "update", timeout_s=_FETCH_S),
            )
            assert fetched.returncode == 0, fetched.stdout + fetched.stderr
        done = self.run(*command, *words, timeout_s=_FETCH_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def in_session(self, *command: str, timeout_s: float) -> Done:
        """Run a command as the user with a session bus and an unlocked keyring, without window."""
        wrapped = ("/usr/local/bin/with-session-bus", *command)
        return self.run(*wrapped, as_user=True, timeout_s=timeout_s, QT_QPA_PLATFORM="offscreen")

    def files(self) -> frozenset[str]:
        """Return the paths of everything that stays: no caches, logs and lists of packages."""
        found = ("/" + path.relative_to(self.path).as_posix() for path in self.path.rglob("*"))
        return frozenset(
            path for path in found if not path.startswith((*_PASSING, *_PASSING_STATE))
        )


def new_root(name: str) -> CleanRoot:
    """Copy the clean Debian for one run; the first time it is made. Skips where it can't be."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap") or not _may_mount():
        pytest.skip(
            "needs root, the right to mount, and mmdebstrap, to make a Debian to install in"
        )
    base = ROOTS / f"{_codename()}-minbase"
    if not base.is_dir():
        _make(base)
    target = ROOTS / name
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(base), str(target)], check=True)
    root = CleanRoot(target)
    shutil.copy("/etc/resolv.conf", target / "etc/resolv.conf")
    shutil.copy(ROOT / ".ci" / "with-session-bus", target / "usr/local/bin/with-session-bus")
    made = root.run("useradd", "--create-home", "--user-group", USER)
    assert made.returncode == 0, made.stderr
    return root


def _make(base: Path) -> None:
    ROOTS.mkdir(parents=True, exist_ok=True)
    new = base.with_name(f"{base.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    sources = next((str(path) for path in _SOURCES if path.is_file()), "")
    # The lists of packages stay in it: a copy can install at once.
    keep = ["--skip=cleanup/apt/lists", "--variant=minbase", "--quiet"]
    command = ["mmdebstrap", *keep, _codename(), str(new), *filter(None, [sources])]
    done = _patiently(
        lambda: subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_FETCH_S,
        ),
        lambda: shutil.rmtree(new, ignore_errors=True),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    new.rename(base)


def _patiently(fetch: Callable[[], Done], between: Callable[[], object]) -> Done:
    """Try again after each pause what failed, `between` having been done; return the last try."""
    done = fetch()
    for pause_s in PAUSES_S:
        if done.returncode == 0:
            break
        time.sleep(pause_s)
        between()
        done = fetch()
    return done


def _may_mount() -> bool:
    tried = ["unshare", "--mount", "--pid", "--fork", "true"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _codename() -> str:
    told = Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r"^VERSION_CODENAME=(\w+)$", told, re.MULTILINE)
    return found[1] if found else "bookworm"


def _archives() -> Path:
    """Return the folder of downloaded packages, which all roots share."""
    folder = ROOTS / "archives"
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    return folder
