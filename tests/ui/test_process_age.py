"""Tests of the time since a process's start, as the figure of a start needs it.

They never wait for a time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.support.surroundings import ROOT

_TOLD = """
import json, sys
from ui.process_age import process_age_s
age_s = process_age_s()
print(json.dumps([age_s, "psutil" in sys.modules]))
"""
# Ticks are a hundredth of a second, and a clock may be slewed meanwhile.
_SLACK_S = 0.1


@pytest.mark.timeout(60)
def test_a_process_knows_how_long_ago_it_was_started() -> None:
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _TOLD], cwd=ROOT, capture_output=True, check=True, timeout=50
    )
    took_s = time.monotonic() - began_s
    age_s, has_loaded_psutil = json.loads(done.stdout)
    assert 0 < age_s <= took_s + _SLACK_S
    assert has_loaded_psutil == (sys.platform != "linux")
