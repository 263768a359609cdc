"""Owns turning a bundle's files into a compiled bundle, or into a list of its faults.

It never reads a file itself, and it never compiles a bundle with a fault in it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar

from contract.policy.bundle_source import RULES_FILE, BundleSource, need, read_source
from contract.policy.evidence import EvidenceWords
from contract.policy.lexicon import Lexicon, Term
from contract.policy.manifest import check_manifest
from contract.policy.messages import MESSAGES_FILE, Catalogue, read_catalogue
from contract.policy.normalise import fold_term
from contract.policy.problems import BundleError, BundleProblem
from contract.policy.publishing import client_files, forget_lists
from contract.policy.rule_checks import check_rules
from contract.policy.rule_plan import RulePlans
from contract.policy.rules import LexiconRule, RegexRule, Rule, TermRule, files_of
from contract.policy.sources import read_csv

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
    evidence: Mapping[str, EvidenceWords]
    catalogue: Catalogue
    plans: RulePlans


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
    problems += check_rules(source, files, catalogue)
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
        plans=RulePlans(source.rules),
    )


def forget_sources() -> None:
    """Let go of the word lists as they were read: a compiled bundle needs none of them.

    They are kept so that a bundle compiled for two sides is read once: call it when no other is
    to be compiled soon. It costs the next compilation what reading them takes, nothing else.
    """
    _folded_words.cache_clear()
    forget_lists()


def _collect(problems: list[BundleProblem], read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except BundleError as error:
        problems.extend(error.problems)
        return None


def _read_terms(
    source: BundleSource, files: Mapping[str, bytes], problems: list[BundleProblem]
) -> Iterator[Term]:
    for index, rule in enumerate(source.rules):
        if isinstance(rule, TermRule):
            ordinary = rule.ordinary if isinstance(rule, LexiconRule) else ()
            for name in files_of(rule):
                for folded, replacement in _read_words(name, files, problems):
                    yield Term(index, folded, replacement, name in ordinary)


def _read_evidence(
    source: BundleSource, files: Mapping[str, bytes], problems: list[BundleProblem]
) -> dict[str, EvidenceWords]:
    return {
        rule.id: EvidenceWords(
            folded for name in files_of(rule) for folded, _ in _read_words(name, files, problems)
        )
        for rule in source.rules
        if files_of(rule) and not isinstance(rule, TermRule)
    }


def _read_words(
    name: str, files: Mapping[str, bytes], problems: list[BundleProblem]
) -> tuple[tuple[str, str], ...]:
    """Return a file's folded words with replacements; a missing file is another check's matter."""
    if name not in files:
        return ()
    words, faults = _folded_words(name, files[name])
    problems.extend(faults)
    return words


@functools.lru_cache(maxsize=64)
def _folded_words(
    name: str, content: bytes
) -> tuple[tuple[tuple[str, str], ...], tuple[BundleProblem, ...]]:
    """Read a CSV file (term, language, replacement, note); one bundle is compiled for two sides."""
    words: list[tuple[str, str]] = []
    problems: list[BundleProblem] = []
    seen: dict[str, int] = {}
    read = functools.partial(read_csv, name, content, *_WORD_COLUMNS)
    for row in _collect(problems, read) or []:
        folded = fold_term(row.values.get("term", ""))
        if not folded:
            problems.append(BundleProblem(name, row.line, "the term is empty"))
        elif folded in seen:
            reason = f"the term stands on line {seen[folded]} already"
            problems.append(BundleProblem(name, row.line, reason))
        else:
            words.append((folded, row.values.get("replacement", "")))
        seen.setdefault(folded, row.line)
    return tuple(words), tuple(problems)


def _compile_patterns(source: BundleSource, problems: list[BundleProblem]) -> dict[str, Pattern]:
    import re2  # not before a bundle is compiled: it costs start-up

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
