"""Owns importing uvicorn's server without its command line, which no program of ours offers.

It never hides that command line: whoever asks the package for something it lacks gets all of it.

The package's front imports click, multiprocessing and supervisors of several processes: thirty
modules that each serving process and each witness would hold all day.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec


def _leave_out_front() -> None:
    """Let the package stand without its front having run, unless it has run already."""
    spec = find_spec("uvicorn")
    if "uvicorn" in sys.modules or spec is None or spec.loader is None:
        return
    package, loader = module_from_spec(spec), spec.loader

    def run_front(name: str) -> object:
        """Run the front for a name that is not there yet (PEP 562); raises AttributeError."""
        if name.startswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(name)
        del vars(package)["__getattr__"]
        loader.exec_module(package)
        return getattr(package, name)

    vars(package)["__getattr__"] = run_front
    sys.modules["uvicorn"] = package
    # What uvicorn's own modules take from the front.
    from uvicorn.config import Config
    from uvicorn.server import Server

    vars(package).update(Config=Config, Server=Server)


_leave_out_front()

from uvicorn.config import Config  # noqa: E402 - not before the front is left out
from uvicorn.server import Server  # noqa: E402 - as above

__all__ = ["Config", "Server"]
