"""Owns the text of an imported message as it is kept: with what of it is not here.

It never leaves out a file's name whose bytes did not come along.
"""

from __future__ import annotations

from collections.abc import Sequence

from contract.imports.model import ImportedKind, ImportedMessage
from contract.names import file_name

NO_WORDS = "A message of a kind that Parley can’t show. It is in the original file."
_MOST_TEXT_CHARS = 200_000
_NAMED = "📎 "
_LEFT_OUT = " left out when the chat was exported."


def text_of(message: ImportedMessage, kept: Sequence[str]) -> str:
    """Return a message's text as it is kept: with the names of the files that are not here."""
    said = [message.text] if message.text else []
    if message.kind is ImportedKind.DELETED and not said:
        said.append("This message was deleted in the chat.")
    said += [f"{_NAMED}{name}" for name in message.files if file_name(name) not in kept]
    if message.missing_files:
        many = "A file was" if message.missing_files == 1 else f"{message.missing_files} files were"
        said.append(f"{many}{_LEFT_OUT}")
    if not any(said) and not kept and message.kind is ImportedKind.MESSAGE:
        said.append(NO_WORDS)
    return encodable("\n".join(said))[:_MOST_TEXT_CHARS]


def told_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a kept text's own words and the names of the files that did not come along."""
    lines = text.split("\n")
    if lines[-1].endswith(_LEFT_OUT) or text == NO_WORDS:
        lines.pop()
    named = []
    while lines and lines[-1].startswith(_NAMED):
        named.append(lines.pop().removeprefix(_NAMED))
    return "\n".join(lines), tuple(reversed(named))


def encodable(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 and no canonical form can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
