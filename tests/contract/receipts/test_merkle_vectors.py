"""Every published vector of Merkle proofs is accepted or refused as it says.

It does not make vectors: they are those of transparency-dev/merkle.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.receipts.errors import ProofError
from contract.receipts.merkle import (
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from tests.support.vectors import require_vectors


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _proof(case: dict[str, Any]) -> list[bytes]:
    return [_bytes(text) for text in case["proof"] or []]


def _inclusion(case: dict[str, Any]) -> None:
    leaf, root = _bytes(case["leafHash"]), _bytes(case["root"])
    verify_inclusion(case["leafIdx"], case["treeSize"], leaf, _proof(case), root)


def _consistency(case: dict[str, Any]) -> None:
    roots = _bytes(case["root1"]), _bytes(case["root2"])
    verify_consistency(case["size1"], case["size2"], _proof(case), *roots)


def _subtree_inclusion(case: dict[str, Any]) -> None:
    leaf, root = _bytes(case["leafHash"]), _bytes(case["root"])
    verify_subtree_inclusion(case["leafIdx"], case["start"], case["end"], leaf, _proof(case), root)


def _subtree_consistency(case: dict[str, Any]) -> None:
    roots = _bytes(case["root1"]), _bytes(case["root2"])
    verify_subtree_consistency(case["start"], case["end"], case["size"], _proof(case), *roots)


def _disagreement(path: Path, check: Callable[[dict[str, Any]], None]) -> str:
    case = json.loads(path.read_text("utf-8"))
    try:
        check(case)
    except ProofError as error:
        return "" if case["wantErr"] else f"{path.parent.name}/{path.stem}: {error}"
    return f"{path.parent.name}/{path.stem}: accepted" if case["wantErr"] else ""


@pytest.mark.parametrize(
    ("folder", "check", "cases"),
    [
        ("inclusion", _inclusion, 98),
        ("consistency", _consistency, 98),
        ("subtreeinclusion", _subtree_inclusion, 204),
        ("subtreeconsistency", _subtree_consistency, 118),
    ],
)
def test_every_vector_comes_out_as_it_says(
    folder: str, check: Callable[[dict[str, Any]], None], cases: int
) -> None:
    paths = sorted(require_vectors(f"merkle/{folder}").rglob("*.json"))
    assert len(paths) == cases
    assert [found for path in paths if (found := _disagreement(path, check))] == []
