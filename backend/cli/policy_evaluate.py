"""The command that decides on drafts from stdin: JSON lines in, one decision a line out, in order.

It never opens a workspace, and it keeps nothing of what it reads.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from backend.cli.policy_sources import print_problems, read_bundle
from backend.services import system_clock_utc_ms
from backend.workspace_errors import WorkspaceError
from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.evaluate import evaluate
from contract.policy.model import Attachment, Decision, Draft, Facts, Finding, Recipient
from contract.policy.problems import BundleError
from contract.policy.signing import open_signed_bundle
from contract.receipts.errors import NoteError
from contract.receipts.keys import VerifierKey


class DraftLine(msgspec.Struct, frozen=True, kw_only=True):
    """One draft as read: the fields of contract.policy.model.Draft with an id; more is ignored."""

    id: str | int | None
    text: str
    conversation_id: str = ""
    channel: str = ""
    recipients: tuple[Recipient, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    template_id: str = ""
    language: str = "en"
    quoted_text: str = ""
    mentions: tuple[str, ...] = ()
    forwarded_from: tuple[str, ...] = ()
    on_behalf_of: str = ""
    several: int = 0

    def draft(self) -> Draft:
        """Return the draft to decide on."""
        return Draft(**{name: getattr(self, name) for name in Draft.__struct_fields__})


class DecisionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One decision as written; spans count Unicode code points, end exclusive."""

    id: str | int | None
    action: str
    override_kind: str
    findings: tuple[Finding, ...]
    evaluator_version: str
    bundle_version: str
    bundle_hash: str
    facts_hash: str
    draft_hash: str
    decision_hash: str


class FaultLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that could not be read; `line` counts from 1."""

    line: int
    error: str
    id: None = None


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Decide on every line of stdin; returns 1 when the bundle or a line could not be read.

    It ends early, with what it found until then, when nobody reads its output any more.
    Raises WorkspaceError when a file can't be read.
    """
    try:
        bundle = _bundle(arguments)
    except BundleError as error:
        print_problems(error.problems)
        return 1
    facts = _facts(arguments.facts)
    status = 0
    out = sys.stdout.buffer
    try:
        for answer in decide_lines(bundle, facts, sys.stdin.buffer):
            status = 1 if isinstance(answer, FaultLine) else status
            out.write(msgspec.json.encode(answer) + b"\n")
        out.flush()
    except BrokenPipeError:
        _drop_output()
    return status


def _drop_output() -> None:
    """Let what is still buffered go nowhere, or Python would complain of the pipe at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def decide_lines(
    bundle: CompiledBundle, facts: Facts, lines: Iterable[bytes]
) -> Iterator[DecisionLine | FaultLine]:
    """Yield a decision for each line that is not empty, or what is wrong with it."""
    decoder = msgspec.json.Decoder(DraftLine)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            read = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield FaultLine(line=number, error=str(error))
            continue
        yield _answer(read.id, evaluate(bundle, facts, read.draft()))


def _answer(draft_id: str | int | None, decision: Decision) -> DecisionLine:
    return DecisionLine(
        id=draft_id,
        action=decision.action.value,
        override_kind=decision.override_kind.value,
        findings=decision.findings,
        evaluator_version=decision.evaluator_version,
        bundle_version=decision.bundle_version,
        bundle_hash=decision.bundle_hash,
        facts_hash=decision.facts_hash,
        draft_hash=decision.draft_hash,
        decision_hash=decision.decision_hash(),
    )


def _bundle(arguments: argparse.Namespace) -> CompiledBundle:
    files, side = read_bundle(arguments.bundle), Side(arguments.side)
    if not arguments.verifier_key:
        return compile_bundle(files, side)
    try:
        known = [VerifierKey.parse(key) for key in arguments.verifier_key]
    except NoteError as error:
        raise WorkspaceError(f"A verifier key can't be read: {error}.") from error
    return open_signed_bundle(files, known, side=side)


def _facts(path: Path | None) -> Facts:
    """Return the facts of a JSON file with the fields of Facts; the time defaults to now."""
    if path is None:
        return Facts(now_utc_ms=system_clock_utc_ms())
    try:
        stated = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
        stated.setdefault("now_utc_ms", msgspec.Raw(b"%d" % system_clock_utc_ms()))
        return msgspec.json.decode(msgspec.json.encode(stated), type=Facts)
    except OSError as error:
        raise WorkspaceError(f"The facts can't be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"The facts are not what policy reads: {error}.") from error
