"""The command that writes the OpenAPI document.

It never starts a backend.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.api.openapi import openapi_bytes


def run_openapi(arguments: argparse.Namespace) -> int:
    """Write the document to --output, or beside the contract it describes; returns 0."""
    import contract

    path: Path = arguments.output or Path(contract.__file__).parent / "openapi.json"
    path.write_bytes(openapi_bytes())
    return 0
