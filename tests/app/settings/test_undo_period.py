"""Shows whose word counts for the undo period.

It does not send anything.
"""

from __future__ import annotations

import pytest

from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from app.settings.undo_period import undo_period_s


def _settings(origin: Origin, seconds: int) -> Settings:
    return Settings(load_schema(), [Source(origin, "test", {"UndoSendSeconds": seconds}, "")])


def test_without_a_choice_the_firms_figure_holds() -> None:
    settings = Settings(load_schema(), ())
    assert undo_period_s(settings, 8) == 8
    assert undo_period_s(settings, None) == 5


@pytest.mark.parametrize(("chosen", "firm", "holds"), [(10, 3, 3), (2, 5, 2), (4, 0, 0)])
def test_the_users_choice_never_exceeds_the_firms_limit(chosen: int, firm: int, holds: int) -> None:
    assert undo_period_s(_settings(Origin.USER, chosen), firm) == holds


def test_a_managed_period_stands_as_it_is() -> None:
    assert undo_period_s(_settings(Origin.MANAGED, 10), 3) == 10
    assert undo_period_s(_settings(Origin.MANAGED, 0), 5) == 0
