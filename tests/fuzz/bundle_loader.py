"""Breaks bundles by chance: their YAML, CSV, packed and signed forms; only BundleError may come.

It does not judge which faults are named.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from contract.policy.bundle import Side, compile_bundle
from contract.policy.evaluate import evaluate
from contract.policy.manifest import pack_bundle, unpack_bundle
from contract.policy.model import Draft, Facts
from contract.policy.problems import BundleError
from contract.policy.publishing import client_files
from contract.policy.signing import open_signed_bundle
from contract.policy.sources import read_csv, read_yaml
from tests.fuzz.growth import check_linear
from tests.support.drafts import NOW_UTC_MS
from tests.support.policy_bundle import bundle_files

_DRAFT = Draft(text="guaranteed 4111 1111 1111 1111, a guess", conversation_id="c", channel="sms")
_TOKENS = (
    b": ", b"- ", b"\n", b"  ", b"{", b"}", b"[", b"]", b'"', b"'", b"|", b">", b"&a", b"*a", b"!!",
    b"#", b",", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\t", b"---\n", b"? ", b"%",
    b"kind: ", b"action: block", b"scope: server", b"pattern: '(a+)+$'", b"pattern: '(?=a)'",
    b"terms: []", b"99999999999999999999", b"-1", b"{match}", b"{x}", b"null", b"1e9", b"~",
)  # fmt: skip
_REPEATED = (
    b"[", b"{", b"- ", b"a: ", b"- {id: aa", b"&a ", b"'", b'"', b"\n", b",", b"#", b"a: 1\n",
    b'"a\n', b"- - ", b"? ", b"- {id: rule, kind: wall}\n", b"term,language\n", b'a,"b\n',
)  # fmt: skip


def run_once(chance: random.Random) -> None:
    """Load one broken bundle; raises what the loader should not have raised."""
    files = broken(chance, bundle_files())
    if chance.random() < 0.3:
        _packed(chance, files)
        return
    side = chance.choice(list(Side))
    try:
        bundle = compile_bundle(files, side)
    except BundleError as error:
        assert error.problems
        assert all(problem.line >= 0 and problem.reason for problem in error.problems)
        return
    # What loads has to serve, too.
    evaluate(bundle, Facts(now_utc_ms=NOW_UTC_MS), _DRAFT)
    if side is Side.SERVER:
        published = client_files(files)
        assert client_files(published) == published


def growth_once(chance: random.Random) -> None:
    """Read sources that repeat one piece, at three sizes; raises TooSlow."""
    piece, start = chance.choice(_REPEATED), chance.choice((b"", b"rules:\n", b"a: "))
    reader = chance.choice((_yaml, _csv))

    def work(size: int) -> None:
        reader(start + piece * (size // len(piece)))

    check_linear(work, 20_000)


def broken(chance: random.Random, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with some of them damaged in a few places."""
    damaged = dict(files)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        name = chance.choice(sorted(damaged))
        for _ in range(chance.choice((1, 1, 2, 5))):
            damaged[name] = _damaged(chance, damaged[name])
        if chance.random() < 0.02:
            del damaged[name]
            break
    return damaged


def _damaged(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content) + 1)
    end = min(len(content), place + chance.choice((0, 1, 1, 4, 40)))
    match chance.randrange(5):
        case 0:
            return content[:place] + chance.choice(_TOKENS) + content[place:]
        case 1:
            return content[:place] + content[end:]
        case 2:
            return content[:end] + content[place:end] * chance.choice((1, 2, 50)) + content[end:]
        case 3:
            return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
        case _:
            lines = content.splitlines(keepends=True)
            chance.shuffle(lines)
            return b"".join(lines) if chance.random() < 0.2 else content[:place]


def _packed(chance: random.Random, files: Mapping[str, bytes]) -> None:
    packed = pack_bundle(files)
    for _ in range(chance.choice((0, 1, 3))):
        packed = _damaged(chance, packed)
    try:
        open_signed_bundle(unpack_bundle(packed), (), side=Side.CLIENT)
    except BundleError as error:
        assert error.problems
        return
    raise AssertionError("a bundle without a known signature was opened")


def _yaml(content: bytes) -> None:
    try:
        read_yaml("x.yaml", content)
    except BundleError:
        return


def _csv(content: bytes) -> None:
    try:
        read_csv("x.csv", content, ("term", "language"), ("replacement", "note"))
    except BundleError:
        return
