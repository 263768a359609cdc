"""The commands of a bundle's author: check, keygen, sign, diff.

They never open a workspace and never put a bundle in force.
"""

from __future__ import annotations

import argparse
import os

from backend.cli.policy_sources import (
    print_problems,
    read_bundle,
    read_signer,
    write_bundle,
    write_private_key,
)
from backend.cli.printing import print_line
from backend.workspace_errors import WorkspaceError
from contract.policy.bundle import Side, compile_bundle
from contract.policy.comparing import compare_bundles
from contract.policy.problems import BundleError
from contract.policy.signing import sign_bundle
from contract.receipts.errors import NoteError
from contract.receipts.keys import KeyType
from contract.receipts.signers import SEED_BYTES, format_private_key, parse_private_key


def run_authoring(arguments: argparse.Namespace) -> int:
    """Carry out one command; returns 0, or 1 when the bundle has a fault or differs.

    Raises WorkspaceError when a file can't be read or written.
    """
    run = {"check": _check, "keygen": _keygen, "sign": _sign, "diff": _diff}
    try:
        return run[arguments.policy_command](arguments)
    except BundleError as error:
        print_problems(error.problems)
        return 1


def _check(arguments: argparse.Namespace) -> int:
    files = read_bundle(arguments.source)
    whole = compile_bundle(files, Side.SERVER)
    cut = compile_bundle(files, Side.CLIENT)
    print_line(
        {
            "ok": True,
            "name": whole.name,
            "version": whole.version,
            "hash": whole.hash,
            "rules": len(whole.rules),
            "rules_clients_get": len(cut.rules),
        }
    )
    return 0


def _keygen(arguments: argparse.Namespace) -> int:
    try:
        secret = format_private_key(arguments.name, KeyType.ED25519, os.urandom(SEED_BYTES))
    except NoteError as error:
        raise WorkspaceError(f"This name can't name a key: {error}.") from error
    write_private_key(arguments.output, secret)
    print_line({"verifier_key": str(parse_private_key(secret).verifier_key)})
    return 0


def _sign(arguments: argparse.Namespace) -> int:
    signer = read_signer(arguments.key)
    if signer.verifier_key.key_type is not KeyType.ED25519:
        raise WorkspaceError("This key signs checkpoints only: make one with `policy keygen`.")
    signed = sign_bundle(read_bundle(arguments.source), signer)
    bundle = compile_bundle(signed, Side.SERVER)
    write_bundle(arguments.output, signed)
    key = str(signer.verifier_key)
    print_line({"version": bundle.version, "hash": bundle.hash, "signed_by": key})
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    changes = list(compare_bundles(read_bundle(arguments.old), read_bundle(arguments.new)))
    for change in changes:
        print_line(change)
    return 1 if changes else 0
