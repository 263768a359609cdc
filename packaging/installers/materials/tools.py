"""Runs the CycloneDX tools of the build: gathering what wheels say, judging the finished bill.

It installs nothing into the environment that builds, and downloads only through inputs.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from installers.faults import BuildFault
from installers.inputs import build_tools

_JUDGE = """\
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(str(fault) if fault else 0)
"""


def gathered(site: Path, at_s: int) -> dict[str, Any]:
    """Return cyclonedx-py's document on the wheels unpacked in `site`; raises BuildFault.

    They may be another system's: only their metadata is read, through an interpreter that sees
    nothing but them.
    """
    with tempfile.TemporaryDirectory() as folder:
        interpreter = Path(folder) / "python"
        command = shlex.join([sys.executable])
        interpreter.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(site))} exec {command} "$@"\n', "utf-8"
        )
        interpreter.chmod(0o755)
        options = ["-S", "--output-reproducible", "--no-validate"]
        options += ["--sv", "1.6", "--of", "JSON", "-o", "-"]
        done = _run(["-m", "cyclonedx_py", "environment", *options, str(interpreter)], "", at_s)
    if done.returncode != 0:
        raise BuildFault(f"cyclonedx-py can't read the wheels: {_last_line(done.stderr)}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def judge(bill: str) -> None:
    """Check a bill of materials against CycloneDX's strict schema; raises BuildFault."""
    done = _run(["-c", _JUDGE], bill, 0)
    if done.returncode != 0:
        raise BuildFault(
            f"The bill of materials breaks CycloneDX's schema: {done.stderr.strip()[:500]}"
        )


def _run(arguments: list[str], content: str, at_s: int) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    surroundings |= {
        "PYTHONPATH": str(build_tools("linux")),
        "PYTHONSAFEPATH": "1",
        "SOURCE_DATE_EPOCH": str(at_s),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        input=content,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
