"""The administrators' guide, tied to the code, the packages' sources and the scripts it speaks of.

It proves no sentence about a real Windows, a Mac or a management tool: those stand in the guide's
own list of what was never run.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from app.diagnostics import logs
from app.diagnostics.results import EXIT_CODES
from app.domain.version import CLIENT_VERSION
from app.session.autostart import RUN_KEY, RUN_VALUE, keep_autostart
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import (
    INSTALLER_FILE_LINUX,
    MACOS_DOMAIN,
    MANAGED_FILE_LINUX,
    Source,
)
from app.setup import Setup, setup_of
from backend.__main__ import main as backend_main
from installers.macos import MINIMUM_SYSTEM
from installers.materials.checksums import sign_sums, write_sums
from installers.places import PACKAGING, ROOT
from installers.policies.write import build as build_policies
from installers.windows.msi_identity import VARIANTS
from installers.windows.msi_sequences import PUBLIC_PROPERTIES
from tests.packaging.test_materials import make_certificate
from ui.__main__ import _parser
from ui.views.pages.not_set_up import TITLE

GUIDE = ROOT / "docs" / "admin-guide.md"
TEXT = GUIDE.read_text(encoding="utf-8")
SPEC = (PACKAGING / "windows" / "parley.wxs").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return a section of the guide, up to the next heading of its level or above."""
    level = len(title) - len(title.lstrip("#"))
    start = TEXT.index(f"\n{title}\n") + 1
    ends = re.compile(rf"^#{{2,{level}}} ", re.MULTILINE)
    found = ends.search(TEXT, start + len(title))
    return TEXT[start : found.start() if found else len(TEXT)]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all rows of a text's tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    kept = [
        line
        for number, line in enumerate(lines)
        if not re.fullmatch(r"[|\- ]+", line)
        and not (number + 1 < len(lines) and re.fullmatch(r"[|\- ]+", lines[number + 1]))
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in kept]


def anchors(path: Path) -> set[str]:
    """Return the names a page's headings can be linked by."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [GUIDE, ROOT / "README.md", PACKAGING / "ci" / "README.md"])
def test_links_lead_somewhere(page: Path) -> None:
    """Pages, scripts and headings of this tree; the internet is not asked."""
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.replace(" ", "").partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


def test_the_files_named_are_those_that_are_built(tmp_path: Path) -> None:
    """With the version that this tree has."""
    named = {cell for row in rows(section("## What you get")) for cell in row[:1]}
    named = set(re.findall(r"`([^`]+)`", " ".join(named)))
    assert {variant.file_name(CLIENT_VERSION) for variant in VARIANTS} <= named
    assert f"Parley-{CLIENT_VERSION}.dmg" in named
    assert f"parley_{CLIENT_VERSION}_amd64.deb" in named
    assert f"Parley-{CLIENT_VERSION}-linux-x86_64.tar.xz" in named
    assert f"Parley-{CLIENT_VERSION}.cdx.json" in named
    built = {
        path.relative_to(tmp_path).as_posix() for path in build_policies(tmp_path / "policies")
    }
    for name in re.findall(r"policies/(?:windows|macos|linux)/[\w.-]+", TEXT):
        assert name in built, name
    assert "policies/windows/en-US/Parley.adml" in built


def test_every_public_property_is_described_with_its_defaults() -> None:
    """And no other is."""
    told = {row[0].strip("`"): row[1:3] for row in rows(section("### Properties"))}
    assert set(told) == set(PUBLIC_PROPERTIES)
    assert told["EMBEDDED_BACKEND"] == [variant.embedded_backend for variant in VARIANTS]
    assert told["AUTOSTART"] == told["DESKTOP_SHORTCUT"] == ["0", "0"]
    for name in PUBLIC_PROPERTIES:
        assert f"[{name}]" in SPEC or f'Id="{name}"' in SPEC


def test_command_lines_use_properties_and_switches_that_exist() -> None:
    """All msiexec lines of the guide, the tables' too."""
    lines = re.findall(r"msiexec /[^\n`|]+", TEXT)
    assert len(lines) >= 10
    known = {"REINSTALL", "REINSTALLMODE", *PUBLIC_PROPERTIES}
    for line in lines:
        for word in shlex.split(line.replace("%TEMP%\\", ""))[1:]:
            name, has_value, _ = word.partition("=")
            if has_value:
                assert name in known, line
            elif word.startswith("/"):
                assert word in ("/i", "/x", "/fa", "/qn", "/norestart", "/l*v"), line
            else:
                assert re.fullmatch(r"Parley-\d+\.\d+\.\d+-x64-machine\.msi|parley-msi\.log", word)


def test_what_the_packages_refuse_is_told() -> None:
    """An older Windows, a newer Parley, an address without TLS: with the codes that come."""
    codes = [row[0] for row in rows(section("### Exit codes"))]
    assert {"0", "3010", "1603", "1618"} <= set(codes)
    assert "WINDOWS_BUILD &gt;= 17763" in SPEC
    assert "10 version 1809" in section("## What a computer needs")
    assert "NOT NEWER_PARLEY" in SPEC
    assert "has to begin with `https://`" in section("### Properties")


def test_the_systems_named_are_those_built_for() -> None:
    """The oldest macOS is the one Info.plist names."""
    told = {row[0]: row[1] for row in rows(section("## What a computer needs"))}
    assert told["macOS"].startswith(f"{MINIMUM_SYSTEM[0]} or newer, Apple silicon")
    schema = load_schema()
    assert schema["LocalCacheMegabytes"].default == 4096
    assert schema["AttachmentCacheMegabytes"].default == 512
    assert "up to 4 GB" in told["disk"]
    assert "0.5 GB" in told["disk"]


def test_every_setting_named_exists_and_keys_are_only_managed() -> None:
    """Spelled as in the schema."""
    schema = load_schema()
    named = set(re.findall(r"`((?:[A-Z][a-z]+){2,})`", TEXT))
    named -= {"IntuneWinAppUtil", "EnterpriseDesktopAppManagement"}
    assert named <= set(schema), named - set(schema)
    assert {"BackendUrl", "EmbeddedBackend", "OutboxFolder", "ProxyMode"} <= named
    for key in ("LogVerifierKey", "WitnessVerifierKeys", "PolicyVerifierKey"):
        assert schema[key].origins == (Origin.MANAGED,)
    assert set(schema["ProxyMode"].enum) == {"system", "none", "fixed"}


def test_where_the_sample_opens_by_itself_is_told() -> None:
    """Where nobody says otherwise: no package but the machine's for Windows lays settings down."""
    told = {row[0]: row[1] for row in rows(section("## Managed settings"))}["`EmbeddedBackend`"]
    opens = setup_of(Settings(load_schema(), [])) is Setup.READY
    assert opens and "on macOS and Linux nothing does" in told
    assert [variant.name for variant in VARIANTS if variant.embedded_backend == "0"] == ["machine"]


def test_every_setting_without_effect_is_said_to_have_none() -> None:
    """In one sentence, and no other setting in it."""
    late = {key for key, setting in load_schema().items() if not setting.acted_on}
    (said,) = (part for part in TEXT.split("\n- ") if "no effect yet" in part)
    named = said.partition("have **no effect yet**")[0]
    assert late and set(re.findall(r"`(\w+)`", named)) == late


def test_the_self_tests_codes_are_the_programs() -> None:
    """0 for nobody, then by owner, and 2 for a wrong command line."""
    told = [int(row[0]) for row in rows(section("## Is it well? The self-test"))]
    assert sorted(told) == sorted([2, *EXIT_CODES.values()])
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(["--no-such-thing"])
    assert ended.value.code == 2


def test_options_of_parley_that_are_named_exist() -> None:
    """Each `parley --…` line is read by the program's own command line."""
    lines = re.findall(r"^parley (--[^\n&]+)$|`parley (--[^`]+)`", TEXT, re.MULTILINE)
    assert lines
    for line in lines:
        _parser().parse_args(shlex.split(line[0] or line[1]))


def test_options_of_the_backend_that_are_named_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """`parley-backend admin firm show` has a help of its own."""
    lines = re.findall(r"`parley-backend ([^`]+)`|^parley-backend (.+)$", TEXT, re.MULTILINE)
    assert len(lines) >= 2
    for line in lines:
        words = shlex.split(line[0] or line[1])
        with pytest.raises(SystemExit) as ended:
            backend_main([*words, "--help"])
        assert ended.value.code == 0
        usage = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in usage, option


def test_the_page_without_an_address_says_what_the_guide_says() -> None:
    """With no address and without the sample, as the machine package leaves it, nothing starts."""
    assert f'"{TITLE}"' in re.sub(r"\s+", " ", TEXT)
    laid_down = Source(Origin.INSTALLER, "installation", {"EmbeddedBackend": 0, "Autostart": 0})
    assert setup_of(Settings(load_schema(), [laid_down])) is not Setup.READY
    given = Source(Origin.INSTALLER, "installation", {"BackendUrl": "https://parley.bank.example"})
    assert setup_of(Settings(load_schema(), [given, laid_down])) is Setup.READY


def test_folders_and_files_of_logs_are_those_of_the_program() -> None:
    """As platformdirs names them on each system, and as the log is cut."""
    told = {row[0]: row[1].strip("`") for row in rows(section("## Logs"))}
    home = str(Path.home())
    assert told["macOS"] == MacOS("Parley", appauthor=False).user_log_dir.replace(home, "~")
    unix = Unix("Parley", appauthor=False)
    assert told["Linux"].startswith("~/.local/state/Parley")
    assert unix.user_log_dir.endswith("Parley/log")
    assert told["Windows"] == r"%LOCALAPPDATA%\Parley\Logs"
    text = section("## Logs")
    assert f"`{logs.LOG_NAME}`" in text
    assert f"`{logs.CRASH_NAME}`" in text
    assert logs.MAX_FILE_BYTES == 2 * 1024 * 1024
    assert logs.KEPT_FILES == 4
    assert "at most 2 MB with four older ones" in text


def test_what_a_removal_leaves_of_the_start_with_the_session_is_named(tmp_path: Path) -> None:
    """A person's own entries: no package removes those of all people on a computer."""
    text = section("## Uninstalling")
    assert f"`HKCU\\{RUN_KEY}`,\nvalue `{RUN_VALUE}`" in text
    for system in ("darwin", "linux"):
        keep_autostart(True, ["parley"], platform=system, environ={"HOME": str(tmp_path / system)})
        (entry,) = (path for path in (tmp_path / system).rglob("*") if path.is_file())
        assert f"`~/{entry.relative_to(tmp_path / system).as_posix()}`" in text


def test_places_of_settings_are_those_that_are_read() -> None:
    """On Linux and macOS, where the guide names them."""
    assert f"`{MANAGED_FILE_LINUX}`" in TEXT
    assert f"`{INSTALLER_FILE_LINUX}`" in TEXT
    assert f"`{MACOS_DOMAIN}`" in TEXT


def test_checksums_and_signature_are_verified_by_the_guides_own_lines(tmp_path: Path) -> None:
    """Run as they stand, in a folder with a signed release."""
    (tmp_path / "Parley.msi").write_text("package", encoding="utf-8")
    sums = write_sums(tmp_path)
    (tmp_path / "keys").mkdir()
    key, certificate = make_certificate(tmp_path / "keys")
    sign_sums(sums, {"PARLEY_SIGN_KEY": str(key), "PARLEY_SIGN_CERT": str(certificate)})
    (tmp_path / "publisher-ca.pem").write_bytes(certificate.read_bytes())
    (block,) = re.findall(r"```sh\n(.*?)```", section("## Verifying what you got"), re.DOTALL)
    lines = block.strip().splitlines()
    assert len(lines) == 2
    for line in lines:
        subprocess.run(["bash", "-c", line], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "Parley.msi").write_text("other", encoding="utf-8")
    done = subprocess.run(["bash", "-c", lines[0]], cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode != 0


def test_shell_lines_parse() -> None:
    """Every `sh` block is read by bash."""
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL):
        subprocess.run(["bash", "-n", "-c", block], check=True, timeout=600)


def test_what_was_never_run_is_said() -> None:
    """Windows, macOS, management tools and native recipes have a row each."""
    text = section("## What was never run")
    for word in ("Windows", "macOS", "Citrix", "WDAC", "Intune", "SCCM", "Jamf", "packaging/ci"):
        assert word in text, word
    assert "what was never run" in re.sub(r"\s+", " ", TEXT[:900])
