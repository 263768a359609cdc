"""Gives the evaluator any Unicode text and hostile patterns: no crash, nothing above linear.

It does not judge which findings are right.
"""

from __future__ import annotations

import functools
import json
import random

import msgspec

from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.context import ScanMemo
from contract.policy.evaluate import evaluate
from contract.policy.fixes import apply_fix
from contract.policy.model import Attachment, Decision, Draft, Facts
from contract.policy.problems import BundleError
from tests.fuzz.growth import check_linear
from tests.support.drafts import NOW_UTC_MS, PIECES, drafts
from tests.support.policy_bundle import bundle_files

_ATOMS = ("a", "1", ".", "[a-z]", r"\d", r"\w", r"\s", "(a|aa)", "(a*)", "é", r"\b", "^", "$", "加")
_REPEATS = ("", "", "*", "+", "?", "{0,9}", "{3}", "*?", "+?")
_HOSTILE = (
    "4", "4 ", "41", "4111 ", "a", "a ", "g.u.", "de89", "de89 3704 ", "\u0301", "a\u0301", "加",
    "保本", "\u200b", "+41 44 ", "@", "a.b", "-", "1,", "1.2.3.4 ", "http://", "AKIA", "0x", "==",
    "guaranteed ", "gift $1 ", "$", "1-", "\n", "\n> ", " ", "US03", "four ", "💳", "4️⃣", "ＡＢ",
    "quillon ", "王小", "fund ", "key=", "A1", "9 9", "ß", "ﷺ", "\ud83d", "x" * 40 + " ",
)  # fmt: skip


def run_once(chance: random.Random) -> None:
    """Evaluate one draft under a bundle; raises whatever goes wrong."""
    bundle = _whole() if chance.random() < 0.8 else _with_patterns(chance)
    facts, draft = next(drafts(chance.getrandbits(48)))
    draft = msgspec.structs.replace(draft, text=_text(chance))
    if chance.random() < 0.2:
        draft = msgspec.structs.replace(draft, quoted_text=_text(chance))
    decision = evaluate(bundle, facts, draft)
    again = evaluate(bundle, facts, draft, ScanMemo())
    assert decision == again
    assert len(decision.decision_hash()) == 64
    assert msgspec.json.decode(decision.canonical_bytes().partition(b"\n")[2])
    _check_spans(decision, draft)


def growth_once(chance: random.Random) -> None:
    """Evaluate texts that repeat one piece, at three sizes; raises TooSlow."""
    piece = chance.choice(_HOSTILE)
    if chance.random() < 0.5:
        piece += chance.choice(_HOSTILE)
    if chance.random() < 0.3:
        piece = chance.choice(PIECES) + piece
    bundle = _whole() if chance.random() < 0.7 else _with_patterns(chance)
    place = chance.choice(("text", "text", "quoted_text", "file"))

    def work(size: int) -> None:
        text = piece * (size // len(piece))
        evaluate(bundle, Facts(now_utc_ms=NOW_UTC_MS), _draft(place, text))

    try:
        check_linear(work, 5_000)
    except AssertionError as slow:
        raise AssertionError(f"{slow}: {piece!a} in {place}") from slow


def _draft(place: str, text: str) -> Draft:
    draft = Draft(text=text, conversation_id="c", channel="sms")
    if place == "quoted_text":
        return msgspec.structs.replace(draft, text="1111 1111", quoted_text=text)
    if place == "file":
        file = Attachment(name="a", media_type="a/b", size_bytes=1, sha256="", text=text)
        return msgspec.structs.replace(draft, text="", attachments=(file,))
    return draft


def _text(chance: random.Random) -> str:
    parts: list[str] = []
    for _ in range(chance.choice((0, 1, 3, 8, 20))):
        match chance.randrange(4):
            case 0:
                parts.append(chr(chance.randrange(0x110000)))
            case 1:
                low = chance.randrange(0x110000 - 64)
                parts.append("".join(chr(low + chance.randrange(64)) for _ in range(6)))
            case 2:
                parts.append(chance.choice(_HOSTILE) * chance.choice((1, 2, 9)))
            case _:
                parts.append(chance.choice(PIECES))
    return "".join(parts)


def _check_spans(decision: Decision, draft: Draft) -> None:
    files = {file.sha256: file.text for file in draft.attachments}
    for finding in decision.findings:
        text = files[finding.attachment] if finding.attachment else draft.text
        assert 0 <= finding.start <= finding.end <= len(text)
        for fix in finding.fixes:
            if not finding.attachment:
                apply_fix(text, finding, fix)


@functools.cache
def _whole() -> CompiledBundle:
    return compile_bundle(bundle_files(), Side.SERVER)


def _with_patterns(chance: random.Random) -> CompiledBundle:
    """Return a bundle with patterns by chance; the plain one when RE2 refuses one of them."""
    files = bundle_files()
    rules = ""
    for number in range(chance.randint(1, 4)):
        rule = {
            "id": f"own.pattern-{number}",
            "kind": "regex",
            "pattern": _pattern(chance),
            "case_sensitive": str(chance.random() < 0.3).lower(),
            "action": "warn",
            "message": "named",
            "category": "Own",
        }
        rules += f"  - {json.dumps(rule)}\n"
    try:
        return compile_bundle(files | {"rules.yaml": files["rules.yaml"] + rules.encode()})
    except BundleError:
        return _whole()


def _pattern(chance: random.Random, depth: int = 0) -> str:
    parts: list[str] = []
    for _ in range(chance.randint(1, 3)):
        nested = depth < 3 and chance.random() < 0.4
        atom = f"({_pattern(chance, depth + 1)})" if nested else chance.choice(_ATOMS)
        parts.append(atom + chance.choice(_REPEATS))
    return ("|" if chance.random() < 0.3 else "").join(parts)
