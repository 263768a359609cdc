"""Tests of what the import page says at an import's end.

They never open a window.
"""

from __future__ import annotations

import pytest

from app.domain.imports import Imported
from ui.models.import_state import ImportState, Step
from ui.models.import_story import archived_state


@pytest.mark.parametrize(
    ("end", "first"),
    [
        (Imported(3, 0), "3 messages came into the archive, marked Native."),
        (Imported(3, 2, files=1), "3 messages with 1 file came into the archive, marked Native."),
        (Imported(0, 5, files=2), "2 files came to messages that were there without."),
        (Imported(0, 5), "0 messages came into the archive, marked Native."),
    ],
)
def test_the_report_says_what_came_in(end: Imported, first: str) -> None:
    told = archived_state(ImportState(step=Step.PREVIEW), end, "chat.zip").outcome.split("\n")
    assert told[0] == first
    assert any("“chat.zip”" in line for line in told)
