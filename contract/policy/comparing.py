"""Owns what another version of a bundle changes, told rule by rule, term by term, word by word.

It never evaluates a draft: what the changes mean for messages, a replay over the archive tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from contract.policy.bundle_source import need, read_source
from contract.policy.manifest import version_key
from contract.policy.messages import MESSAGES_FILE
from contract.policy.rules import Rule, files_of
from contract.policy.sources import read_csv

_TERM_COLUMNS = (("term", "language"), ("replacement", "note"))


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference: `change` says what, the rest where; `old` and `new` hold the values."""

    change: str
    rule: str = ""
    file: str = ""
    field: str = ""
    language: str = ""
    old: object = None
    new: object = None


def compare_bundles(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[Change]:
    """Yield what differs: the version, the rules, their terms, and the words shown.

    Raises BundleError when either can't be read.
    """
    old_source, new_source = read_source(old), read_source(new)
    versions = old_source.header.version, new_source.header.version
    if versions[0] != versions[1]:
        grown = version_key(versions[1]) > version_key(versions[0])
        name = "version" if grown else "version_does_not_grow"
        yield Change(change=name, old=versions[0], new=versions[1])
    yield from _rules(old_source.rules, new_source.rules)
    names = {name for rule in (*old_source.rules, *new_source.rules) for name in files_of(rule)}
    for name in sorted(names):
        yield from _rows("term", name, _terms(name, old), _terms(name, new))
    yield from _rows("words", MESSAGES_FILE, _words(old), _words(new))


def _rules(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[Change]:
    before, after = {rule.id: rule for rule in old}, {rule.id: rule for rule in new}
    for rule_id in sorted(before.keys() - after.keys()):
        yield Change(change="rule_removed", rule=rule_id, old=_fields(before[rule_id]))
    for rule_id, rule in after.items():
        if rule_id not in before:
            yield Change(change="rule_added", rule=rule_id, new=_fields(rule))
            continue
        was, now = _fields(before[rule_id]), _fields(rule)
        for field in sorted(was.keys() | now.keys()):
            if was.get(field) != now.get(field):
                yield Change(
                    change="rule_changed",
                    rule=rule_id,
                    field=field,
                    old=was.get(field),
                    new=now.get(field),
                )


def _fields(rule: Rule) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(rule)
    return fields


def _terms(name: str, files: Mapping[str, bytes]) -> dict[tuple[str, str], str]:
    if name not in files:
        return {}
    rows = read_csv(name, files[name], *_TERM_COLUMNS)
    return {
        (row.values.get("term", ""), row.values.get("language", "")): row.values.get(
            "replacement", ""
        )
        for row in rows
    }


def _words(files: Mapping[str, bytes]) -> dict[tuple[str, str], str]:
    rows = read_csv(
        MESSAGES_FILE, need(files, MESSAGES_FILE), ("key", "language", "title"), ("detail",)
    )
    return {
        (row.values.get("key", ""), row.values.get("language", "")): " — ".join(
            filter(None, (row.values.get("title", ""), row.values.get("detail", "")))
        )
        for row in rows
    }


def _rows(
    what: str, file: str, old: dict[tuple[str, str], str], new: dict[tuple[str, str], str]
) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key):
            continue
        verb = "removed" if key not in new else "added" if key not in old else "changed"
        yield Change(
            change=f"{what}_{verb}",
            file=file,
            field=key[0],
            language=key[1],
            old=old.get(key),
            new=new.get(key),
        )
