"""Holds the choice of a template: the list narrowed by words, the values typed, the preview.

It never sends anything and never changes the approved words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.template_desk import LONGEST_VALUE_CHARS, fill_template
from contract.supervision import Template

_PLACE = re.compile(r"\{\{(\d+)\}\}")
_GAP = "…"


@dataclass(slots=True)
class TemplateChoice:
    """`chosen` is None until a template was picked; `typed` keeps the values of each template."""

    templates: Sequence[Template]
    words: str = ""
    chosen: Template | None = None
    typed: dict[str, list[str]] = field(default_factory=dict)

    def shown(self) -> tuple[Template, ...]:
        """Return the templates whose name or text holds every typed word."""
        words = self.words.casefold().split()
        return tuple(
            one
            for one in self.templates
            if all(word in f"{one.name} {one.body}".casefold() for word in words)
        )

    def values(self) -> list[str]:
        """Return the values of the chosen template's places, to be changed in place."""
        if self.chosen is None:
            return []
        values = self.typed.setdefault(self.chosen.template_id, [])
        missing = self.chosen.parameters - len(values)
        values.extend([""] * missing)
        del values[self.chosen.parameters :]  # the template may have changed since they were typed
        return values

    def preview(self) -> str:
        """Return the text as it will be sent, with … in places still empty."""
        if self.chosen is None:
            return ""
        values = self.values()
        return _PLACE.sub(
            lambda place: values[int(place.group(1)) - 1].strip() or _GAP, self.chosen.body
        )

    def text(self) -> str:
        """Return the filled text, "" while something is missing or too long."""
        if self.chosen is None:
            return ""
        try:
            return fill_template(self.chosen, self.values())
        except ValueError:
            return ""

    def problem(self) -> str:
        """Return what keeps the template from being used, "" when nothing does."""
        if self.chosen is None:
            return "Choose a template."
        if any(len(value.strip()) > LONGEST_VALUE_CHARS for value in self.values()):
            return f"A value may have {LONGEST_VALUE_CHARS} characters at most."
        if not all(value.strip() for value in self.values()):
            return "Fill in every place."
        return ""
