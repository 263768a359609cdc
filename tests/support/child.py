"""Runs one of our driver processes and reads the JSON lines it says.

It never signals a process it did not start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from tests.support.surroundings import ROOT, python_path
from tests.support.waiting import until

Line = dict[str, Any]
_END_TIMEOUT_S = 60.0


class Child:
    """A Python module run as a process; `lines` holds what it has said so far."""

    def __init__(
        self,
        module: str,
        first_line: Mapping[str, Any],
        *args: str,
        before_exec: Callable[[], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start `python -m module args`, say `first_line` as JSON; its input stays open."""
        self.lines: list[Line] = []
        self._stderr: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": python_path(), **(env or {})},
            preexec_fn=before_exec,
        )
        self._readers = (
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        )
        for reader in self._readers:
            reader.start()
        self.say(first_line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    @property
    def errors(self) -> str:
        """Return what it wrote to standard error so far."""
        return "".join(self._stderr)

    def say(self, line: Mapping[str, Any]) -> None:
        """Write one JSON line to its input; nothing happens when it is gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass

    def hang_up(self) -> None:
        """Close its input."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.alive:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it with SIGKILL and wait for its end; a dead one stays dead."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, timeout_s: float = _END_TIMEOUT_S) -> int:
        """Return its exit status (negative: the signal) once it ended and all was read."""
        status = self._process.wait(timeout_s)
        self.hang_up()
        for reader in self._readers:
            reader.join(timeout_s)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        return status

    def told(self, event: str) -> list[Line]:
        """Return the lines of one event."""
        return [line for line in tuple(self.lines) if line.get("event") == event]

    def expect(self, event: str, *, after: int = 0, timeout_s: float = 60.0) -> Line:
        """Wait for more than `after` lines of `event` and return the newest.

        Fails at once when the child ends without.
        """

        def look() -> list[Line]:
            if len(self.told(event)) <= after and not self.alive:
                self.wait()
                assert self.told(event)[after:], f"no {event} came: {self.errors[-3000:]}"
            return self.told(event)[after:]

        return until(look, f"{event} of {self._process.args!r}", timeout_s=timeout_s)[-1]

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            try:
                said = json.loads(raw)
            except ValueError:
                self._stderr.append(raw.decode("utf-8", "replace"))
                continue
            # The backend's one line bears no event's name.
            self.lines.append(said if "event" in said else {"event": "ready", **said})

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for raw in self._process.stderr:
            text = raw.decode("utf-8", "replace")
            if text.startswith('{"event"'):
                self.lines.append(json.loads(text))
            else:
                self._stderr.append(text)
