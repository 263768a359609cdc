"""The recipes of native builds and the scripts for device management, as far as Linux can try them.

It never runs a PowerShell script, codesign or a management tool: those need their own systems.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from app.diagnostics.results import EXIT_CODES
from installers.places import PACKAGING, ROOT

CI = PACKAGING / "ci"
SCRIPTS = PACKAGING / "scripts"
SHELL = sorted([*CI.rglob("*.sh"), *SCRIPTS.rglob("*.sh")])
POWERSHELL = sorted([*CI.rglob("*.ps1"), *SCRIPTS.rglob("*.ps1")])
EXTENSION_ATTRIBUTE = SCRIPTS / "jamf" / "extension-attribute.sh"
HEALTH_CHECK = SCRIPTS / "jamf" / "health-check.sh"


def name_of(path: Path) -> str:
    """Return a file's name for a test's id."""
    return path.relative_to(PACKAGING).as_posix()


@pytest.mark.parametrize("script", SHELL, ids=name_of)
def test_shell_scripts_parse_and_may_be_run(script: Path) -> None:
    """`bash -n` reads all of it."""
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=600)
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("script", [*SHELL, *POWERSHELL], ids=name_of)
def test_each_script_says_that_it_was_never_run(script: Path) -> None:
    """Whoever reads it has to know; it may say less once somebody ran it."""
    head = " ".join(script.read_text(encoding="utf-8").replace("#", " ").split()[:110])
    assert "never run" in head


@pytest.mark.parametrize("name", ["windows.yml", "macos.yml"])
def test_a_workflow_parses_and_calls_scripts_that_exist(name: str) -> None:
    """Jobs name their runner, needed jobs exist, secrets come from the store alone."""
    text = (CI / name).read_text(encoding="utf-8")
    assert "never run" in text.splitlines()[0]
    document = yaml.safe_load(text)
    called = []
    for job in document["jobs"].values():
        assert job["runs-on"] and job["timeout-minutes"]
        assert job.get("needs", "bundle") in {*document["jobs"], "bundle"}
        for step in job["steps"]:
            assert "run" in step or "uses" in step
            found = re.findall(r"packaging[\\/]ci[\\/][\w./\\-]+\.(?:sh|ps1)", step.get("run", ""))
            called += [ROOT / one.replace("\\", "/") for one in found]
            for value in (step.get("env") or {}).values():
                assert re.fullmatch(r"\$\{\{ (secrets|vars)\.PARLEY_[A-Z0-9_]+ \}\}", value)
    assert called
    assert all(path.is_file() for path in called)


@pytest.mark.parametrize("script", [*SHELL, *POWERSHELL], ids=name_of)
def test_files_of_the_tree_that_a_script_names_exist(script: Path) -> None:
    """A recipe must not fall behind when something moves."""
    text = script.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w/])(?:packaging|\.ci)[\\/][\w.\\/-]*\w", text)
    for one in named:
        assert (ROOT / one.replace("\\", "/")).exists(), one
    for module, function in re.findall(r"from (installers\.[\w.]+) import (\w+)", text):
        path = PACKAGING / Path(*module.split("."))
        source = path.with_suffix(".py")
        code = source if source.is_file() else path / f"{function}.py"
        assert code.is_file(), module
        if source.is_file():
            assert re.search(rf"^(def |class )?{function}\b", code.read_text(), re.MULTILINE)


@pytest.mark.parametrize("script", [*SHELL, *POWERSHELL], ids=name_of)
def test_no_script_holds_a_secret_or_prints_one(script: Path) -> None:
    """Passwords come from the environment."""
    text = script.read_text(encoding="utf-8")
    assert "BEGIN" not in text
    assert not re.search(r"echo .*(PASSWORD|PASS\b)", text)


def test_the_certificates_password_is_no_argument_of_the_signing_tool() -> None:
    """Every process may read another's arguments; what was laid into the store goes again."""
    script = (CI / "windows" / "sign.ps1").read_text(encoding="utf-8")
    assert not re.search(r"""["']/[pf]["']""", script)
    assert '"/sha1", $thumbprint' in script
    assert re.search(
        r"\} finally \{\s+if \(\$imported\) \{ Remove-Item \$imported -DeleteKey", script
    )
    for job in yaml.safe_load((CI / "windows.yml").read_text(encoding="utf-8"))["jobs"].values():
        names = [step.get("name", "") for step in job["steps"]]
        laid = [place for place, name in enumerate(names) if name.startswith("Lay the certificate")]
        for place in laid:
            taken = job["steps"][place + 2]
            assert (taken["name"], taken["if"]) == ("Take the certificate away", "always()")


# ---- Scripts for device management --------------------------------------------------------------


@pytest.mark.parametrize("script", sorted(SCRIPTS.rglob("health*")), ids=name_of)
def test_a_health_script_runs_the_self_test_and_knows_its_exit_codes(script: Path) -> None:
    """As the command line has it, with the codes of app/diagnostics/results.py."""
    text = script.read_text(encoding="utf-8")
    assert re.search(r"--selftest\W+--json\W+--output", text)
    assert sorted(EXIT_CODES.values()) == [0, 10, 20, 30]
    for code in EXIT_CODES.values():
        assert re.search(rf"\b{code}\b", text), code


def stand_in(folder: Path, code: int, *, report: str | None = None) -> Path:
    """Write a program that answers `--selftest --json --output FILE` with a code."""
    owner = {10: "user", 20: "IT", 30: "vendor"}.get(code, "")
    status = "fail" if code else "ok"
    document = {
        "version": "0.1.0",
        "ok": not code,
        "exit_code": code,
        "checks": [
            {"name": "store", "status": "warn", "sentence": "Little room.", "owner": "user"},
            {"name": "backend", "status": status, "sentence": 'It says <"no"> & ends.'}
            | {"owner": owner},
            {"name": "events", "status": status, "sentence": "Later.", "owner": owner},
        ],
    }
    words = json.dumps(document, indent=2) if report is None else report
    program = folder / "Parley"
    (folder / "answer.json").write_text(words, encoding="utf-8")
    copy = f'cp "{folder}/answer.json" "$4"' if words else ":"
    program.write_text(
        '#!/bin/sh\n[ "$1 $2 $3" = "--selftest --json --output" ] || exit 2\n'
        f"{copy}\nexit {code}\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


def run_script(script: Path, program: Path) -> tuple[int, str]:
    """Run a script against a program as this very user; return its status and what it said."""
    whoami = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout
    done = subprocess.run(
        [str(script)],
        env=os.environ | {"PARLEY_PROGRAM": str(program), "PARLEY_PERSON": whoami.strip()},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ok"),
        (10, 'user: It says &lt;"no"&gt; &amp; ends.'),
        (20, 'IT: It says &lt;"no"&gt; &amp; ends.'),
        (30, 'vendor: It says &lt;"no"&gt; &amp; ends.'),
        (3, "broken: exit 3"),
    ],
)
def test_the_attribute_names_who_can_mend_it(tmp_path: Path, code: int, words: str) -> None:
    """With the first failed check's sentence, safe inside the answer's own marks."""
    status, said = run_script(EXTENSION_ATTRIBUTE, stand_in(tmp_path, code))
    assert status == 0
    assert said == f"<result>{words}</result>\n"


@pytest.mark.parametrize(("code", "status"), [(0, 0), (10, 0), (20, 1), (30, 1), (139, 1)], ids=str)
def test_the_policy_fails_where_it_or_the_vendor_has_to_act(
    tmp_path: Path, code: int, status: int
) -> None:
    """What the user can mend is said and passes."""
    ended, said = run_script(HEALTH_CHECK, stand_in(tmp_path, code))
    assert ended == status
    assert json.loads(said)["exit_code"] == code


def test_a_parley_that_writes_no_report_is_broken(tmp_path: Path) -> None:
    """A crash before the report must not pass for health."""
    program = stand_in(tmp_path, 0, report="")
    assert run_script(EXTENSION_ATTRIBUTE, program)[1] == "<result>broken: exit 0</result>\n"
    assert run_script(HEALTH_CHECK, program)[0] == 1


def test_where_parley_is_not_installed_nothing_is_wrong(tmp_path: Path) -> None:
    """Both scripts say so and end well."""
    absent = tmp_path / "absent"
    attribute = run_script(EXTENSION_ATTRIBUTE, absent)
    assert attribute == (0, "<result>not installed</result>\n")
    assert run_script(HEALTH_CHECK, absent) == (0, "Parley is not installed.\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as Jamf has it")
@pytest.mark.parametrize("script", [EXTENSION_ATTRIBUTE, HEALTH_CHECK], ids=name_of)
def test_root_reads_nothing_for_a_person_that_they_may_not_read_themselves(script: Path) -> None:
    """They may lay a link to it where the report is expected."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        secret = folder / "secret"
        secret.write_text('"status": "fail"\n  "sentence": "root knows"\n', encoding="utf-8")
        secret.chmod(0o600)
        for program, line in {
            "Parley": f'ln -s "{secret}" "$4"; exit 20',
            "launchctl": 'shift 2; exec "$@"',
            "sudo": 'shift; person="$1"; shift; exec runuser -u "$person" -- "$@"',
        }.items():
            (folder / program).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            (folder / program).chmod(0o755)
        done = subprocess.run(
            [str(script)],
            env={
                "PATH": f"{folder}:{os.environ['PATH']}",
                "PARLEY_PROGRAM": str(folder / "Parley"),
                "PARLEY_PERSON": "nobody",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    assert "root knows" not in done.stdout + done.stderr
    assert "Permission denied" in done.stderr or "wrote no report" in done.stdout


@pytest.mark.parametrize("script", [EXTENSION_ATTRIBUTE, HEALTH_CHECK], ids=name_of)
def test_the_scripts_leave_no_file_behind(
    tmp_path: Path, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report names nobody, but it is not theirs to leave lying about."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    run_script(script, stand_in(tmp_path, 20))
    assert not list((tmp_path / "t").iterdir())


def test_the_scripts_understand_parley_itself(tmp_path: Path) -> None:
    """The real self-test, on a computer where IT has to act: nothing is set up, or no keyring.

    It runs once, so that both scripts read the same report.
    """
    program = tmp_path / "Parley"
    program.write_text(
        f'#!/bin/sh\ncd "{ROOT}"\nif [ ! -e "{tmp_path}/status" ]; then\n'
        f'PARLEY_DATA_DIR="{tmp_path}/data" '
        "PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring "
        f'"{sys.executable}" -m ui "$@"\necho $? >"{tmp_path}/status"\n'
        f'cp "$4" "{tmp_path}/report"\nfi\ncp "{tmp_path}/report" "$4"\n'
        f'exit "$(cat "{tmp_path}/status")"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    status, said = run_script(HEALTH_CHECK, program)
    report = json.loads(said)
    assert report["exit_code"] in EXIT_CODES.values()
    assert status == (1 if report["exit_code"] in (20, 30) else 0)
    failed = [one for one in report["checks"] if one["status"] == "fail"]
    attribute = run_script(EXTENSION_ATTRIBUTE, program)[1]
    if failed:
        assert attribute.startswith(f"<result>{failed[0]['owner']}: ")
        assert len(attribute) > len("<result>vendor: </result>\n")
    else:
        assert attribute == "<result>ok</result>\n"
