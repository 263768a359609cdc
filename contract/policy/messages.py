"""Owns the words of findings: one table of titles and details per key and language.

It never formats with anything but the few named places `{match}`, `{replacement}`,
`{reference}`, so that no text of a draft can act as a template.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from contract.policy.problems import BundleError, BundleProblem
from contract.policy.sources import read_csv

FALLBACK_LANGUAGE = "en"
MESSAGES_FILE = "messages.csv"
_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = frozenset({"match", "replacement", "reference"})


class Words(NamedTuple):
    """A short title and one more sentence, which may be empty."""

    title: str
    detail: str


class Catalogue:
    """All words of a bundle; every key has English."""

    def __init__(self, words: dict[tuple[str, str], Words]) -> None:
        self._words = words
        self._titles: dict[str, tuple[str, ...]] = {}
        for key, language in sorted(words):
            self._titles[key] = (*self._titles.get(key, ()), words[key, language].title)

    def __contains__(self, key: str) -> bool:
        return (key, FALLBACK_LANGUAGE) in self._words

    def words(self, key: str, language: str, **places: str) -> Words:
        """Return a key's words in a language ("de", "zh-Hans" …), else in English."""
        found = (
            self._words.get((key, language))
            or self._words.get((key, language.partition("-")[0]))
            or self._words[key, FALLBACK_LANGUAGE]
        )
        return Words(_fill(found.title, places), _fill(found.detail, places))

    def names_match(self, key: str) -> bool:
        """Tell whether a key's words repeat what was found, in any language."""
        return any(
            "{match}" in words.title + words.detail
            for (known, _), words in self._words.items()
            if known == key
        )

    def titles(self, key: str) -> tuple[str, ...]:
        """Return a key's titles in every language it has, in order of language."""
        return self._titles.get(key, ())


def read_catalogue(content: bytes) -> Catalogue:
    """Read messages.csv (key, language, title, detail); raises BundleError."""
    words: dict[tuple[str, str], Words] = {}
    problems: list[BundleProblem] = []
    for row in read_csv(MESSAGES_FILE, content, ("key", "language", "title"), ("detail",)):
        key, language = row.values.get("key", ""), row.values.get("language", "")
        title, detail = row.values.get("title", ""), row.values.get("detail", "")
        if not (key and language and title):
            reason = "key, language and title are needed"
            problems.append(BundleProblem(MESSAGES_FILE, row.line, reason))
        if (key, language) in words:
            problems.append(BundleProblem(MESSAGES_FILE, row.line, f"'{key}' stands twice"))
        unknown = set(_PLACE.findall(title + detail)) - _PLACES
        if unknown:
            reason = f"unknown place {{{sorted(unknown)[0]}}}"
            problems.append(BundleProblem(MESSAGES_FILE, row.line, reason))
        words[key, language] = Words(title, detail)
    keys = {key for key, _ in words}
    problems += [
        BundleProblem(MESSAGES_FILE, 0, f"'{key}' has no English words")
        for key in keys
        if (key, FALLBACK_LANGUAGE) not in words
    ]
    if problems:
        raise BundleError(problems)
    return Catalogue(words)


def _fill(template: str, places: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: places.get(place.group(1), ""), template)
