"""Tests that the log holds no content. They never write outside the test's folder."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.diagnostics.logs import CRASH_NAME, start_logging, stop_logging

NAME, ADDRESS, NUMBER = "Hana Watanabe", "hana@sakura.example", "+81 90 1234 5678"
BODY, CARD, TOKEN = "please sell everything 約定", "4111111111111111", "eyJhbGciOi.J9.c2VjcmV0"
CANARIES = (NAME, "Hana", ADDRESS, NUMBER, BODY, "約定", CARD, TOKEN)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    yield start_logging(tmp_path / "logs", level=logging.DEBUG)
    stop_logging()


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_the_log_is_the_users_alone(log: Path) -> None:
    assert log.parent.stat().st_mode & 0o077 == 0


def test_text_never_reaches_the_log(log: Path) -> None:
    ours = logging.getLogger("app.test")
    for canary in (NAME, ADDRESS, NUMBER, BODY, CARD):
        ours.info("saw %s", canary)
    ours.info("saw 41111111 and %d", int(CARD))
    theirs = logging.getLogger("httpx")
    theirs.warning(f"HTTP Request: GET https://x/{NAME}?q={BODY}")
    theirs.warning("token %s", TOKEN)
    try:
        raise ValueError(f"{NAME}: {BODY} {TOKEN}")
    except ValueError:
        ours.exception("could not store")
    text = log.read_text(encoding="utf-8")
    assert [canary for canary in CANARIES if canary in text] == []
    assert "41111111" not in text


def test_codes_ids_and_numbers_stay(log: Path) -> None:
    message_id = "0199f3aa-7b1c-7d10-9a55-0f6b3c2d1e00"
    logging.getLogger("app.test").info("%s is %s after %d ms%s", message_id, "queued", 12, "")
    (line,) = _lines(log)
    assert line["event"] == f"{message_id} is queued after 12 ms"
    assert (line["level"], line["logger"]) == ("info", "app.test")


def test_an_error_leaves_its_kind_and_its_place(log: Path) -> None:
    try:
        raise KeyError(NAME)
    except KeyError:
        logging.getLogger("ui.test").exception("failed")
    (line,) = _lines(log)
    assert line["error"] == "KeyError"
    assert line["frames"][-1].startswith("test_logs.py:")


def test_a_crash_record_is_opened_beside_the_log(log: Path) -> None:
    assert (log.parent / CRASH_NAME).exists()


@pytest.fixture(autouse=True)
def _announced(expect_log: Any) -> None:
    expect_log(".", required=False)
