"""Owns the texts that channels approved for use outside the reply window.

It never sends one, and it never believes that a text is a template without comparing it.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, insert, select, update

from backend.storage.supervision_tables import templates
from contract.supervision import Template
from contract.wire import Channel

_PLACE = re.compile(r"\{\{(\d{1,2})\}\}")
_BREAK = re.compile(r"[\n\r\t]")
MAX_FILLED_CHARS = 1_024


def set_template(connection: Connection, firm_id: str, template: Template) -> None:
    """Keep a template the channel approved; the same id again replaces it.

    Raises ValueError when its places are not numbered 1 … `parameters`.
    """
    places = {int(number) for number in _PLACE.findall(template.body)}
    if places != set(range(1, template.parameters + 1)):
        raise ValueError("a template's places are numbered from 1 without a gap")
    values = {
        "firm_id": firm_id,
        "channel": template.channel.value,
        "language": template.language,
        "name": template.name,
        "body": template.body,
        "parameters": template.parameters,
        "withdrawn": False,
    }
    this = templates.c.template_id == template.template_id
    changed = connection.execute(update(templates).where(this).values(**values))
    if not changed.rowcount:
        connection.execute(insert(templates).values(template_id=template.template_id, **values))


def read_templates(connection: Connection, firm_id: str, channel: str = "") -> tuple[Template, ...]:
    """Return the firm's templates by name, those of one channel when it is given."""
    columns = templates.c
    query = select(templates).where(columns.firm_id == firm_id, columns.withdrawn.is_(False))
    if channel:
        query = query.where(columns.channel == channel)
    return tuple(
        Template(
            template_id=row.template_id,
            channel=Channel(row.channel),
            language=row.language,
            name=row.name,
            body=row.body,
            parameters=row.parameters,
        )
        for row in connection.execute(query.order_by(columns.name, columns.template_id))
    )


def is_filled(
    connection: Connection, firm_id: str, template_id: str, channel: str, text: str
) -> bool:
    """Tell whether a text is that template of the channel, with all its places filled.

    Equal places hold equal words; none is empty or has a line break (Meta's own rule).
    """
    return filled_template(connection, firm_id, template_id, channel, text) is not None


def filled_template(
    connection: Connection, firm_id: str, template_id: str, channel: str, text: str
) -> tuple[Template, tuple[str, ...]] | None:
    """Return the template and the words in its places 1, 2, …; None when the text is not it."""
    for template in read_templates(connection, firm_id, channel):
        if template.template_id == template_id:
            words = _words_in(template.body, text)
            return None if words is None else (template, words)
    return None


def _words_in(body: str, text: str) -> tuple[str, ...] | None:
    """Compare without a search that could run away: each literal is taken where it first stands."""
    pieces = _PLACE.split(body)  # literal, number, literal, …
    literals, numbers = pieces[0::2], pieces[1::2]
    if not numbers:
        return () if text == body else None
    ending = literals[-1]
    until = len(text) - len(ending)
    if not text.startswith(literals[0]) or not text.endswith(ending):
        return None
    at, filled = len(literals[0]), dict[str, str]()
    for number, literal in zip(numbers[:-1], literals[1:-1], strict=True):
        following = text.find(literal, at + 1, until)
        if following < 0:
            return None
        if filled.setdefault(number, text[at:following]) != text[at:following]:
            return None
        at = following + len(literal)
    if filled.setdefault(numbers[-1], text[at:until]) != text[at:until]:
        return None
    if not all(
        0 < len(words) <= MAX_FILLED_CHARS and not _BREAK.search(words) for words in filled.values()
    ):
        return None
    return tuple(filled[number] for number in sorted(filled, key=int))
