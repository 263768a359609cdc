"""Installs the Debian package on a clean Debian, uses Parley there, and removes it again.

It never installs anything on the machine it runs on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from installers.linux.tree import LIBRARY
from installers.places import PACKAGES, version
from tests.packaging.clean_root import HOME, SESSION_PACKAGES, CleanRoot, new_root
from tests.packaging.conftest import WANTED

pytestmark = [
    pytest.mark.needs_packages,
    pytest.mark.timeout(3600),  # the first test downloads a Debian
    pytest.mark.xdist_group("clean-debian"),
]

MANAGED = "etc/parley/policies/managed/policies.json"


@pytest.fixture(scope="module")
def debian() -> Iterator[CleanRoot]:
    """A clean Debian with the package on it, and what a desktop's session brings besides."""
    deb = PACKAGES / f"parley_{version()}_amd64.deb"
    if not WANTED or not deb.is_file():
        pytest.skip("the package is not built: make deb")
    root = new_root("deb")
    shutil.copy(deb, root.path / "tmp" / deb.name)
    root.apt("install", f"/tmp/{deb.name}")
    yield root
    shutil.rmtree(root.path)


@pytest.fixture(scope="module")
def desktop(debian: CleanRoot) -> CleanRoot:
    """The same, with a session bus and a keyring to be had."""
    debian.apt("install", *SESSION_PACKAGES)
    return debian


def test_both_programs_run_where_only_the_dependencies_stand(debian: CleanRoot) -> None:
    told = debian.run("parley", "--version", as_user=True)
    helped = debian.run("parley-backend", "--help", as_user=True)

    assert (told.returncode, told.stdout) == (0, f"Parley {_client_version()}\n"), told.stderr
    assert helped.returncode == 0, helped.stderr
    assert "governed backend" in helped.stdout


def test_no_compiled_file_misses_a_library(debian: CleanRoot) -> None:
    library = f"/{LIBRARY}"
    script = f"find {library} -type f -name '*.so*' -exec ldd {{}} + ; ldd {library}/parley"

    done = debian.run("sh", "-c", script, LD_LIBRARY_PATH=f"{library}/_internal")

    assert "libQt6Core.so.6 => /usr/lib/parley/_internal/PySide6" in done.stdout
    assert [line for line in done.stdout.splitlines() if "not found" in line] == []


def test_dpkg_finds_every_installed_file_unchanged(debian: CleanRoot) -> None:
    done = debian.run("dpkg", "--verify", "parley")

    assert (done.returncode, done.stdout) == (0, "")


def test_the_self_test_passes_without_a_window(desktop: CleanRoot) -> None:
    done = desktop.in_session("parley", "--selftest", "--json", timeout_s=600)

    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True), done.stdout
    assert {check["name"] for check in told["checks"]} >= {"store", "keyring", "backend", "archive"}


def test_the_tour_is_played_to_its_end_with_a_picture_of_each_step(desktop: CleanRoot) -> None:
    done = desktop.in_session("parley", "--tour", str(HOME / "tour"), timeout_s=600)

    assert done.returncode == 0, done.stdout + done.stderr
    folder = desktop.path / HOME.relative_to("/") / "tour"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["steps"]
    assert [step for step in report["steps"] if not step["ok"]] == []
    pictures = [step["screenshot"] for step in report["steps"] if step["screenshot"]]
    assert len(pictures) >= 25
    assert min((folder / name).stat().st_size for name in pictures) > 5_000


def test_what_it_writes_managed_stays_and_everything_else_goes_with_a_purge(
    desktop: CleanRoot,
) -> None:
    managed = desktop.path / MANAGED
    managed.write_text('{"BackendUrl": "https://parley.firm.example"}', encoding="utf-8")

    desktop.apt("purge", "parley")

    ours = [path for path in desktop.files() if "parley" in path.lower()]
    kept = Path("/") / MANAGED
    assert sorted(ours) == sorted(
        str(path) for path in (kept, *kept.parents) if len(path.parts) > 2
    )


def test_installing_and_purging_leaves_the_system_as_it_was(desktop: CleanRoot) -> None:
    shutil.rmtree(desktop.path / "etc/parley", ignore_errors=True)
    before = desktop.files()

    desktop.apt("install", f"/tmp/parley_{version()}_amd64.deb")
    installed = desktop.files()
    desktop.apt("purge", "parley")

    assert "/usr/bin/parley" in installed
    assert desktop.files() == before


def _client_version() -> str:
    from app.domain.version import CLIENT_VERSION

    return CLIENT_VERSION
