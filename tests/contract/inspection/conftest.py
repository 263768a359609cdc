"""Keeps the PDF library's words about hostile files out of the log, as both sides do.

It hides nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet_library() -> Iterator[None]:
    """Silence the library's loggers for one test."""
    logger = logging.getLogger("pypdf")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)
