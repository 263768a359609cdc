"""Writes the client's log: one JSON object a line, rotated, with a record of crashes beside it.

It never writes what a message, a name, an address or a token says: text is dropped, not masked.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import logging.handlers
import re
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO

LOG_NAME = "parley.log"
CRASH_NAME = "parley-crash.log"
MAX_FILE_BYTES = 2 * 1024 * 1024
KEPT_FILES = 4

_OURS = ("app", "ui", "contract", "backend_client", "resources", "parley", "__main__")
# What may stand in a log line: numbers, ids, codes and class names. Never spaces, never
# letters beyond ASCII, never a run of digits long enough to be an account or a telephone.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(\.\d{1,6})?")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,79}")
_LONG_NUMBER = re.compile(r"\d{7,}")
_DROPPED = "[…]"

_crash_file: IO[str] | None = None


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON that holds no content."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, logger, event and, for errors, type and frames."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["frames"] = _frames(record.exc_info[2])
        return json.dumps(line, ensure_ascii=True)


def start_logging(log_dir: Path, *, level: int = logging.INFO) -> Path:
    """Send the process's log to a rotating file in `log_dir` and return that file.

    Also records crashes of the interpreter. Earlier handlers of this function are replaced.
    Raises OSError when the folder can't be written.
    """
    global _crash_file
    log_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    stop_logging()
    path = log_dir / LOG_NAME
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=MAX_FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(JsonFormatter())
    handler.set_name("parley-file")
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "qasync", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    _crash_file = (log_dir / CRASH_NAME).open("a", encoding="utf-8")
    faulthandler.enable(_crash_file)
    return path


def stop_logging() -> None:
    """Close the files of `start_logging`; without it this does nothing."""
    global _crash_file
    root = logging.getLogger()
    for handler in list(root.handlers):
        if handler.get_name() == "parley-file":
            root.removeHandler(handler)
            handler.close()
    if _crash_file is not None:
        faulthandler.disable()
        _crash_file.close()
        _crash_file = None


def _event(record: logging.LogRecord) -> str:
    ours = record.name.split(".", 1)[0] in _OURS
    template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    if not ours and not record.args:
        # A foreign library may have formatted content into its text: keep what kind it is.
        return f"message of {record.module}.{record.funcName}"
    template = _LONG_NUMBER.sub(_DROPPED, template)
    if not record.args:
        return template
    arguments = record.args if isinstance(record.args, tuple) else (record.args,)
    try:
        return template % tuple(_safe(value, ours=ours) for value in arguments)
    except (TypeError, ValueError):
        return template


def _safe(value: object, *, ours: bool) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**15 else 0
    if isinstance(value, BaseException):
        return type(value).__name__
    text = str(value)
    if not text or _ID.fullmatch(text):
        return text
    if ours and _CODE.fullmatch(text) and not _LONG_NUMBER.search(text):
        return text
    return _DROPPED


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-12:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
