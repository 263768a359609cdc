"""The language the firm's rules speak in: chosen, else as the firm knows the user.

It does not test what they say.
"""

from __future__ import annotations

import pytest

from app.settings.language import language_of_rules
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source


@pytest.mark.parametrize(
    ("chosen", "known", "spoken"),
    [
        ({}, "de", "de"),
        ({}, None, "en"),
        ({"Language": "system"}, "ja", "ja"),
        ({"Language": "ja"}, "de", "ja"),
        ({"Language": "tlh"}, "de", "de"),
    ],
)
def test_the_choice_stands_over_what_the_firm_knows(
    chosen: dict[str, object], known: str | None, spoken: str
) -> None:
    settings = Settings(load_schema(), [Source(Origin.USER, "settings.json", chosen)])
    assert language_of_rules(settings, known) == spoken
