"""The reading and writing of bundles and keys as files, for the `policy` commands.

It never decides whether a bundle may be used, and never prints a private key.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from backend.cli.printing import print_line
from backend.governance.policy import read_policy_folder
from backend.workspace_errors import WorkspaceError
from contract.policy.manifest import pack_bundle, unpack_bundle
from contract.policy.problems import BundleProblem
from contract.receipts.errors import NoteError
from contract.receipts.signers import Signer, parse_private_key


def read_bundle(path: Path) -> dict[str, bytes]:
    """Return the files of a packed bundle or of a source folder, by name.

    Raises WorkspaceError when there is nothing to read, BundleError for no bundle.
    """
    try:
        return read_policy_folder(path) if path.is_dir() else unpack_bundle(path.read_bytes())
    except OSError as error:
        raise WorkspaceError(f"The bundle {path.name} can't be read: {error.strerror}.") from error


def write_bundle(path: Path, files: dict[str, bytes]) -> None:
    """Write a packed bundle whole, or not at all; raises WorkspaceError."""
    unfinished = path.with_name(path.name + ".tmp")
    try:
        unfinished.write_bytes(pack_bundle(files))
        unfinished.replace(path)
    except OSError as error:
        raise WorkspaceError(f"The bundle can't be written: {error.strerror}.") from error


def read_signer(path: Path) -> Signer:
    """Return the signer whose private key stands in a file; raises WorkspaceError."""
    try:
        return parse_private_key(path.read_text("utf-8").strip())
    except OSError as error:
        raise WorkspaceError(f"The key can't be read: {error.strerror}.") from error
    except (NoteError, UnicodeDecodeError) as error:
        raise WorkspaceError("The key's file does not hold a private key.") from error


def write_private_key(path: Path, text: str) -> None:
    """Write a new private key that only its owner may read; never replaces a file.

    Raises WorkspaceError.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise WorkspaceError(
            f"{path.name} exists already: a key is never written over. Choose another name."
        ) from error
    except OSError as error:
        raise WorkspaceError(f"The key can't be written: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def print_problems(problems: Sequence[BundleProblem]) -> None:
    """Print each fault as a line with its file, line (0: the whole file) and reason."""
    for problem in problems:
        print_line({"file": problem.file, "line": problem.line, "reason": problem.reason})
