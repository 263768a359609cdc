"""Fails a test that logs a warning or worse which it did not announce.

It never hides a record from anybody else: the usual handlers and caplog still see it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass


@dataclass
class _Expected:
    pattern: re.Pattern[str]
    logger: str
    required: bool
    seen: int = 0

    def matches(self, record: logging.LogRecord) -> bool:
        named = record.name == self.logger or record.name.startswith(f"{self.logger}.")
        return (named or not self.logger) and bool(self.pattern.search(record.getMessage()))


class LogGuard(logging.Handler):
    """Collects warnings, and compares them with those the test expects."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._expected: list[_Expected] = []
        self._records: list[logging.LogRecord] = []

    def __call__(self, pattern: str, *, logger: str = "", required: bool = True) -> None:
        """Expect records whose message holds the regular expression `pattern`.

        `logger` narrows it to one logger and those below it. With `required=False` it is fine
        when none comes. May be called before or after the record was logged.
        """
        self._expected.append(_Expected(re.compile(pattern), logger, required))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record for the comparison at the end of the test."""
        self._records.append(record)

    def problems(self) -> list[str]:
        """Return a sentence per unexpected record and per expected one that never came."""
        found = []
        for record in self._records:
            matching = [item for item in self._expected if item.matches(record)]
            for item in matching:
                item.seen += 1
            if not matching:
                found.append(
                    f"Unexpected {record.levelname} of {record.name}: {self.format(record)}"
                )
        for item in self._expected:
            if item.required and not item.seen:
                found.append(f"No log record held {item.pattern.pattern!r}, but one was expected.")
        return found
