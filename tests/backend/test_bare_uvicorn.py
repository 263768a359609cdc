"""Proofs that a server is made without uvicorn's command line, which is still there for who asks.

They never serve.
"""

from __future__ import annotations

import pytest

from tests.support.loaded_modules import loaded_by

FRONT = {"click", "multiprocessing", "uvicorn.main", "uvicorn.supervisors"}
_SERVER = """
import sys
from backend.listening import server_of

async def application(scope, receive, send):
    pass

server_of(application).config.load()
"""


@pytest.mark.timeout(60)
def test_a_server_that_is_ready_to_serve_has_not_loaded_the_command_line() -> None:
    loaded = loaded_by(_SERVER)
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
    code = _SERVER + asked + same + "assert issubclass(Server, theirs)\n"
    assert loaded_by(code) >= FRONT


@pytest.mark.timeout(60)
def test_a_front_that_has_run_before_is_left_as_it_is() -> None:
    code = (
        "import uvicorn\nbefore = uvicorn\n" + _SERVER + "assert sys.modules['uvicorn'] is before\n"
    )
    assert loaded_by(code) >= FRONT
