"""Owns turning a bundle's files into a compiled bundle, or into a list of its faults.

It never reads a file itself, and it never compiles a bundle with a fault in it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar

import re2

from contract.policy.bundle_source import RULES_FILE, BundleSource, need, read_source
from contract.policy.lexicon import Lexicon, Term
from contract.policy.manifest import check_manifest
from contract.policy.messages import MESSAGES_FILE, Catalogue, read_catalogue
from contract.policy.model import Action, FixKind, Scope
from contract.policy.normalise import fold_term
from contract.policy.problems import BundleError, BundleProblem
from contract.policy.publishing import client_files
from contract.policy.rules import (
    NEUTRAL_KEY,
    DisclaimerRule,
    RegexRule,
    Rule,
    TermRule,
    files_of,
    message_keys_of,
)
from contract.policy.sources import Row, read_csv

MAX_PATTERN_MEMORY_BYTES = 8 * 1024 * 1024
_WORD_COLUMNS = (("term", "language"), ("replacement", "note"))
_T = TypeVar("_T")


class Side(Enum):
    """Who evaluates: the client never gets rules of scope server."""

    CLIENT = "client"
    SERVER = "server"


class PatternMatch(Protocol):
    """One match of a pattern; places count code points."""

    def start(self) -> int:
        """Return where the match starts."""

    def end(self) -> int:
        """Return where the match ends."""


class Pattern(Protocol):
    """A compiled RE2 pattern, as far as the evaluator uses it."""

    def finditer(self, text: str) -> Iterable[PatternMatch]:
        """Iterate over the matches in a text without lone surrogates."""


class CompiledBundle(NamedTuple):
    """A bundle ready for `evaluate`: immutable, shareable between threads.

    `hash` is the SHA-256 (hex) of its manifest; `patterns` and `evidence` go by rule id.
    """

    version: str
    hash: str
    name: str
    rules: tuple[Rule, ...]
    lexicon: Lexicon
    patterns: Mapping[str, Pattern]
    evidence: Mapping[str, tuple[str, ...]]
    catalogue: Catalogue


def compile_bundle(files: Mapping[str, bytes], side: Side = Side.SERVER) -> CompiledBundle:
    """Compile a bundle's files (name to bytes) for one side.

    For the client the files are first cut down to the published `client_files`, so both sides
    get one hash from them. A manifest among the files is compared with every file. Raises
    BundleError with the faults found: file, line and reason.
    """
    if side is Side.CLIENT:
        files = client_files(files)
    source = read_source(files)
    manifest = check_manifest(source.header.version, files)
    problems: list[BundleProblem] = []
    catalogue = _collect(problems, lambda: read_catalogue(need(files, MESSAGES_FILE)))
    _check_rules(source, files, catalogue, problems)
    lexicon = Lexicon(_read_terms(source, files, problems))
    patterns = _compile_patterns(source, problems)
    evidence = _read_evidence(source, files, problems)
    if problems or catalogue is None:
        raise BundleError(problems)
    return CompiledBundle(
        version=source.header.version,
        hash=hashlib.sha256(manifest).hexdigest(),
        name=source.header.name,
        rules=source.rules,
        lexicon=lexicon,
        patterns=patterns,
        evidence=evidence,
        catalogue=catalogue,
    )


def _collect(problems: list[BundleProblem], read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except BundleError as error:
        problems.extend(error.problems)
        return None


def _check_rules(
    source: BundleSource,
    files: Mapping[str, bytes],
    catalogue: Catalogue | None,
    problems: list[BundleProblem],
) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(source.rules):

        def fault(reason: str, field: str, index: int = index) -> None:
            problems.append(BundleProblem(RULES_FILE, source.line_of(index, field), reason))

        if rule.id in seen:
            fault(f"the id '{rule.id}' stands twice", "id")
        seen.add(rule.id)
        if rule.action is Action.LOG and rule.scope is not Scope.SERVER:
            fault("the action log is silent and needs scope server", "action")
        added = bool(rule.disclaimer) if not isinstance(rule, DisclaimerRule) else None
        if added is not None and (FixKind.ADD_DISCLAIMER in rule.fixes) != added:
            fault("the fix add_disclaimer and a disclaimer go together", "fixes")
        neutral = (NEUTRAL_KEY,) if rule.scope is Scope.SERVER else ()
        for key in message_keys_of(rule) + neutral:
            if catalogue is not None and key not in catalogue:
                fault(f"{MESSAGES_FILE} has no words for '{key}'", "message")
        for name in files_of(rule):
            if name not in files:
                fault(f"the file {name} is missing", "terms")


def _read_terms(
    source: BundleSource, files: Mapping[str, bytes], problems: list[BundleProblem]
) -> list[Term]:
    terms: list[Term] = []
    for index, rule in enumerate(source.rules):
        if isinstance(rule, TermRule):
            for row, folded in _read_words(rule, files, problems):
                terms.append(Term(index, folded, row.values.get("replacement", "")))
    return terms


def _read_evidence(
    source: BundleSource, files: Mapping[str, bytes], problems: list[BundleProblem]
) -> dict[str, tuple[str, ...]]:
    return {
        rule.id: tuple(folded for _, folded in _read_words(rule, files, problems))
        for rule in source.rules
        if files_of(rule) and not isinstance(rule, TermRule)
    }


def _read_words(
    rule: Rule, files: Mapping[str, bytes], problems: list[BundleProblem]
) -> list[tuple[Row, str]]:
    """Read a rule's CSV files (term, language, replacement, note), folded; notes faults."""
    words: list[tuple[Row, str]] = []
    for name in files_of(rule):
        if name not in files:
            continue
        seen: dict[str, int] = {}
        read = functools.partial(read_csv, name, files[name], *_WORD_COLUMNS)
        rows = _collect(problems, read) or []
        for row in rows:
            folded = fold_term(row.values.get("term", ""))
            if not folded:
                problems.append(BundleProblem(name, row.line, "the term is empty"))
            elif folded in seen:
                reason = f"the term stands on line {seen[folded]} already"
                problems.append(BundleProblem(name, row.line, reason))
            else:
                words.append((row, folded))
            seen.setdefault(folded, row.line)
    return words


def _compile_patterns(source: BundleSource, problems: list[BundleProblem]) -> dict[str, Pattern]:
    patterns: dict[str, Pattern] = {}
    for index, rule in enumerate(source.rules):
        if not isinstance(rule, RegexRule):
            continue
        options = re2.Options()
        options.log_errors = False
        options.max_mem = MAX_PATTERN_MEMORY_BYTES
        options.case_sensitive = rule.case_sensitive
        try:
            patterns[rule.id] = re2.compile(rule.pattern, options)
        except re2.error as error:
            detail = error.args[0] if error.args else b""
            text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
            reason = f"not an RE2 pattern (no look-around, no back-references): {text}"
            problems.append(BundleProblem(RULES_FILE, source.line_of(index, "pattern"), reason))
    return patterns
