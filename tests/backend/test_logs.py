"""The backend's log keeps no content, whatever a library wrote into its words.

It never starts a backend.
"""

from __future__ import annotations

import json
import logging
import sys

from backend.cli.logs import _JsonLines


def test_an_errors_text_stays_out_of_the_log() -> None:
    said = "Task exception was never retrieved\nfuture: <Task exception=ValueError('canary')>"
    try:
        raise ValueError("canary")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, said, None, error)
    line = _JsonLines().format(record)
    assert "canary" not in line
    assert json.loads(line)["text"] == "Task exception was never retrieved"
    assert json.loads(line)["error"] == "ValueError"
