"""Proofs that a server is made without uvicorn's command line, which is still there for who asks.

They never serve.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.surroundings import ROOT

FRONT = {"click", "multiprocessing", "uvicorn.main", "uvicorn.supervisors"}
_SERVER = """
import sys
from backend.listening import server_of

async def application(scope, receive, send):
    pass

server_of(application).config.load()
"""
_TOLD = "print(*sys.modules)"


def _loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=50,
    )
    return set(done.stdout.split())


@pytest.mark.timeout(60)
def test_a_server_that_is_ready_to_serve_has_not_loaded_the_command_line() -> None:
    loaded = _loaded_by(_SERVER + _TOLD)
    assert "uvicorn.protocols.http.httptools_impl" in loaded
    assert loaded.intersection(FRONT) == set()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "asked",
    [
        "from uvicorn import run",
        "import uvicorn; uvicorn.__version__",
        "import uvicorn; assert not hasattr(uvicorn, 'nothing')",
    ],
)
def test_whoever_asks_the_package_for_more_gets_all_of_it(asked: str) -> None:
    same = "\nfrom backend.listening import Server\nfrom uvicorn import Server as theirs\n"
    code = _SERVER + asked + same + "assert issubclass(Server, theirs)\n" + _TOLD
    assert _loaded_by(code) >= FRONT


@pytest.mark.timeout(60)
def test_a_front_that_has_run_before_is_left_as_it_is() -> None:
    code = (
        "import uvicorn\nbefore = uvicorn\n" + _SERVER + "assert sys.modules['uvicorn'] is before\n"
    )
    assert _loaded_by(code + _TOLD) >= FRONT
