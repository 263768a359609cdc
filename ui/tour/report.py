"""Keeps what happened in each step of a tour and writes it down.

It never decides whether a step succeeded.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

REPORT_NAME = "report.json"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: how long it took, its picture's file name, and why it failed ("" when not).

    `screenshot` is "" for what happens without a window.
    """

    name: str
    ok: bool
    ms: int
    screenshot: str
    fault: str = ""


def write_report(folder: Path, results: list[StepResult], expected: int) -> bool:
    """Write report.json and return whether all `expected` steps happened."""
    ok = len(results) == expected and all(result.ok for result in results)
    document = {"ok": ok, "steps": [asdict(result) for result in results]}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (folder / REPORT_NAME).write_text(text, encoding="utf-8")
    return ok
