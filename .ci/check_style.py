"""Checks the rules of style no other tool knows: sizes, names, docstrings, reasons of ignores.

It never changes a file. Exceptions stand in style_exceptions.txt, one a line as
`rule path[:name] | reason`; the list may only shrink: an entry that is not needed fails.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from source_files import ROOT, own_modules, parse, sentences

EXCEPTIONS = ROOT / ".ci" / "style_exceptions.txt"
MAX_PUBLIC_METHODS = 12
QT_SINGLE_WORDS = {"data", "event", "flags", "index", "paint", "parent", "sort"}
FORBIDDEN_WORDS = {"util", "utils", "helper", "helpers", "manager", "controller"}
_REFUSAL = re.compile(
    r"\b(never|not|no|none|nothing|neither|nor|only|refuses?|without|cannot|knows? neither)\b|n't\b"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<code>\[[^\]]+\])?(?P<rest>.*)")
_NOQA = re.compile(r"#\s*noqa(?P<code>:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?(?P<rest>.*)")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Named = Function | ast.ClassDef


@dataclass(frozen=True)
class Finding:
    """One breach of one rule; `subject` is `path` or `path:name`."""

    rule: str
    subject: str
    line: int
    text: str


def is_test(path: Path) -> bool:
    """Tell whether the softer limits of tests apply."""
    return path.parts[0] == "tests"


def is_qt_override(path: Path, name: str) -> bool:
    """Tell whether a method has Qt's spelling: camelCase, or in ui one of its single words."""
    camel = name[0].islower() and name != name.lower() and "_" not in name
    return camel or (path.parts[0] == "ui" and name in QT_SINGLE_WORDS)


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Named]]:
    """Yield every class and function with its dotted name, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{node.name}"
            yield name, node
            yield from definitions(node, f"{name}.")
        elif not isinstance(node, ast.expr):
            yield from definitions(node, prefix)


def check_module(path: Path, tree: ast.Module, text: str) -> Iterator[Finding]:
    """Check a module's length, docstring and name."""
    limit = 600 if is_test(path) else 400
    lines = text.count("\n")
    if lines > limit:
        yield Finding("module-length", str(path), 1, f"{lines} lines, at most {limit}")
    found = sentences(ast.get_docstring(tree))
    if len(found) < 2 or not any(_REFUSAL.search(sentence) for sentence in found[1:]):
        yield Finding(
            "module-docstring",
            str(path),
            1,
            "the docstring needs a sentence on what it owns, then one on what it refuses to do",
        )
    for part in (*path.parts[:-1], path.stem):
        yield from check_name(str(path), part, 1)


def check_name(subject: str, name: str, line: int) -> Iterator[Finding]:
    """Check a name for words that say nothing."""
    for word in {match.lower() for match in _WORD.findall(name)} & FORBIDDEN_WORDS:
        yield Finding("name", subject, line, f"`{word}` in `{name}` says nothing; name what it is")


def check_function(path: Path, name: str, node: Function) -> Iterator[Finding]:
    """Check one function's length, counted from its `def` to its last line."""
    limit = 80 if is_test(path) else 50
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > limit:
        text = f"{lines} lines, at most {limit}"
        yield Finding("function-length", f"{path}:{name}", node.lineno, text)


def check_class(path: Path, name: str, node: ast.ClassDef) -> Iterator[Finding]:
    """Check one class: its public methods, and that Qt's overrides sit last."""
    methods = [
        item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    own = {item.name for item in methods if not item.name.startswith("_")}
    own = {method for method in own if not is_qt_override(path, method)}
    if len(own) > MAX_PUBLIC_METHODS and not is_test(path):
        text = f"{len(own)} public methods, at most {MAX_PUBLIC_METHODS}"
        yield Finding("class-size", f"{path}:{name}", node.lineno, text)
    if path.parts[0] != "ui":
        return
    seen_override = ""
    for item in methods:
        if is_qt_override(path, item.name):
            seen_override = item.name
        elif seen_override:
            text = f"`{item.name}` stands after Qt's `{seen_override}`; Qt overrides sit last"
            yield Finding("qt-overrides-last", f"{path}:{name}", item.lineno, text)
            return


def needs_docstring(path: Path, name: str, node: Named) -> bool:
    """Tell whether a definition is public, and no Qt override, overload or test."""
    if is_test(path) and path.parts[1] != "support":
        return False
    if any(part.startswith("_") for part in name.split(".")) or is_qt_override(path, node.name):
        return False
    marks = {ast.unparse(mark).rsplit(".", 1)[-1] for mark in node.decorator_list}
    return not marks & {"overload", "override", "setter"}


def check_definitions(path: Path, tree: ast.Module) -> Iterator[Finding]:
    """Check every class and function of a module."""
    inside: set[str] = set()
    for name, node in definitions(tree):
        outer = name.rpartition(".")[0]
        subject = f"{path}:{name}"
        yield from check_name(subject, node.name, node.lineno)
        if isinstance(node, ast.ClassDef):
            yield from check_class(path, name, node)
        else:
            inside.add(name)
            yield from check_function(path, name, node)
        nested = outer in inside
        if nested:
            inside.add(name)
        elif needs_docstring(path, name, node) and not ast.get_docstring(node):
            yield Finding("docstring", subject, node.lineno, "public, but without a docstring")


def check_ignores(path: Path, text: str) -> Iterator[Finding]:
    """Check that every ignored finding names its code and a reason."""
    if path.parts[0] == ".ci":
        return
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern in (_IGNORE, _NOQA):
            match = pattern.search(line)
            if match and not (match["code"] and match["rest"].strip(" #:-")):
                text = "an ignore carries its code and, after it, a reason"
                yield Finding("ignore-reason", str(path), number, text)


def findings() -> Iterator[Finding]:
    """Yield every breach in the work tree."""
    for path in own_modules():
        text = (ROOT / path).read_text(encoding="utf-8")
        tree = parse(path)
        yield from check_module(path, tree, text)
        yield from check_definitions(path, tree)
        yield from check_ignores(path, text)


def exceptions() -> dict[tuple[str, str], str]:
    """Read the list of exceptions as (rule, subject) -> reason."""
    found: dict[tuple[str, str], str] = {}
    for line in EXCEPTIONS.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            entry, _, reason = line.partition("|")
            rule, _, subject = entry.strip().partition(" ")
            found[(rule, subject.strip())] = reason.strip()
    return found


def main() -> int:
    """Print what breaks the rules; return the exit status."""
    allowed = exceptions()
    used: set[tuple[str, str]] = set()
    problems: list[str] = []
    for item in findings():
        key = (item.rule, item.subject)
        if key in allowed:
            used.add(key)
            continue
        name = item.subject.partition(":")[2]
        path = item.subject.partition(":")[0]
        problems.append(f"{path}:{item.line}: {item.rule}: {name} {item.text}".replace(":  ", ": "))
    for key, reason in allowed.items():
        if key not in used:
            problems.append(f"style_exceptions.txt: `{' '.join(key)}` is no longer needed")
        if not reason:
            problems.append(f"style_exceptions.txt: `{' '.join(key)}` has no reason")
    print("\n".join(sorted(problems)), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
