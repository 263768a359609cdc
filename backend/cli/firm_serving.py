"""The command `serve --firm`: the backend of a firm, until it is stopped.

It never listens anywhere but on loopback: a reverse proxy with TLS stands in front.
"""

from __future__ import annotations

import argparse

from backend.cli.keys import told_key
from backend.directory.firm_settings import FirmSettingRefused, checked_public_url
from backend.firm_side import FirmOptions, FirmSide
from backend.listening import run_on_loop
from backend.runtime import Runtime, RuntimeOptions
from backend.serving import serve
from backend.workspace_errors import WorkspaceError


def run_serve_firm(arguments: argparse.Namespace, host: str, port: int) -> int:
    """Serve a firm until stopped; returns the exit status.

    Raises WorkspaceError or DatabaseError.
    """
    told = told_key(arguments)
    try:
        public_url = checked_public_url(arguments.public_url)
    except FirmSettingRefused as error:
        raise WorkspaceError(str(error)) from error
    side = FirmSide(
        FirmOptions(
            data_dir=arguments.data_dir,
            database_key=told.key,
            public_url=public_url,
            names=tuple(arguments.name),
        )
    )
    options = RuntimeOptions(
        data_dir=arguments.data_dir, database_key=told.key, tiles=arguments.tiles
    )
    run_on_loop(serve(Runtime(options, side), told, host, port, embedded=False))
    return 0
