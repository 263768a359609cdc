"""Owns what of a bundle may reach a client: the rules of scope both, and nothing beside them.

It never lets a server-only rule, its terms, its words or an author's comment through.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Mapping

import msgspec

from contract.policy.bundle_source import HEADER_FILE, RULES_FILE, need, read_source
from contract.policy.manifest import MANIFEST_FILE, NOTE_FILE, build_manifest, check_manifest
from contract.policy.messages import MESSAGES_FILE
from contract.policy.model import Scope
from contract.policy.rules import RulesFile, files_of, message_keys_of
from contract.policy.sources import read_csv


def client_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files a client gets, with their manifest; equal input gives equal bytes.

    Applying it again changes nothing. Raises BundleError when the files are at fault.
    """
    source = read_source(files)
    check_manifest(source.header.version, files)
    rules = tuple(rule for rule in source.rules if rule.scope is Scope.BOTH)
    keys = {key for rule in rules for key in message_keys_of(rule)}
    published = {
        HEADER_FILE: _json(msgspec.structs.replace(source.header, description="")),
        RULES_FILE: _json(RulesFile(rules=rules)),
        MESSAGES_FILE: _messages(need(files, MESSAGES_FILE), keys),
    }
    for rule in rules:
        for name in files_of(rule):
            published[name] = _without_notes(name, need(files, name))
    published[MANIFEST_FILE] = build_manifest(source.header.version, published)
    if NOTE_FILE in files:
        published[NOTE_FILE] = files[NOTE_FILE]
    return published


def _json(value: object) -> bytes:
    # JSON is YAML too, has one canonical form and no room for comments.
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"


def _messages(content: bytes, keys: set[str]) -> bytes:
    columns = ("key", "language", "title", "detail")
    rows = read_csv(MESSAGES_FILE, content, columns[:3], columns[3:])
    kept = [row.values for row in rows if row.values.get("key") in keys]
    return _csv(columns, kept)


def forget_lists() -> None:
    """Let go of the word lists kept from publishing, which stay megabytes for a second one."""
    _without_notes.cache_clear()


@functools.lru_cache(maxsize=128)
def _without_notes(name: str, content: bytes) -> bytes:
    """Return a word list without its notes; kept, as a backend publishes for itself and clients."""
    columns = ("term", "language", "replacement")
    rows = read_csv(name, content, ("term", "language"), ("replacement", "note"))
    return _csv(columns, [row.values for row in rows])


def _csv(columns: tuple[str, ...], rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return out.getvalue().encode("utf-8")
