"""The command that checks a receipt with nothing but its file, and the keys it is told.

It never opens an archive and never asks a network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backend.cli.printing import print_line
from backend.workspace_errors import WorkspaceError
from contract.receipts.encoding import decode_base64
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.leaf import leaf_hash
from contract.receipts.saved import parse_saved
from contract.receipts.tlog_proof import check_receipt

_RAW = b"c2sp.org/tlog-proof@v1"


def run_verify_receipt(arguments: argparse.Namespace) -> int:
    """Verify a saved receipt, or a bare tlog-proof with --leaf; returns the exit status.

    Keys on the command line count instead of the file's own, which only prove that the file
    agrees with itself. Raises WorkspaceError when something needed is missing.
    """
    data = _read(arguments.file)
    try:
        receipt, leaf, log_key, witnesses, quorum = _parts(arguments, data)
        proven = check_receipt(
            receipt,
            leaf,
            VerifierKey.parse(log_key),
            tuple(VerifierKey.parse(key) for key in witnesses),
            quorum,
        )
    except (ReceiptError, ValueError) as error:
        print_line({"ok": False, "fault": str(error)})
        return 1
    if not arguments.log_key:
        sys.stderr.write("Checked with the keys in the file: compare them with your firm's.\n")
    print_line(
        {
            "ok": True,
            "origin": proven.checkpoint.origin,
            "index": proven.leaf_index,
            "size": proven.checkpoint.size,
            "root": proven.checkpoint.root.hex(),
            "entry_hash": leaf_hash(leaf).hex(),
            "log_key": log_key,
            "witnesses": sorted({one.key.name for one in proven.cosignatures}),
            "quorum": quorum,
        }
    )
    return 0


def _parts(
    arguments: argparse.Namespace, data: bytes
) -> tuple[bytes, bytes, str, tuple[str, ...], int]:
    log_key, witnesses, quorum = "", tuple[str, ...](), 0
    if data.startswith(_RAW):
        if not (arguments.leaf and arguments.log_key):
            raise WorkspaceError("A bare receipt needs --leaf and --log-key to be checked.")
        receipt, leaf = data, _read(arguments.leaf)
        quorum = len(arguments.witness_key)
    else:
        saved = parse_saved(data)
        receipt = saved.receipt.encode()
        leaf = _read(arguments.leaf) if arguments.leaf else decode_base64(saved.leaf)
        log_key, witnesses, quorum = saved.log_key, saved.witness_keys, saved.quorum
    return (
        receipt,
        leaf,
        arguments.log_key or log_key,
        tuple(arguments.witness_key) or witnesses,
        quorum if arguments.quorum is None else arguments.quorum,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"A file can't be read: {error.strerror}.") from error
