"""Tests of telling whether Parley has a backend here. They never read this computer's settings."""

from __future__ import annotations

import pytest

from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from app.setup import Setup, setup_of, setup_report

URL = "https://parley.example.com"


def _settings(
    managed: dict[str, object] | None = None,
    installer: dict[str, object] | None = None,
    user: dict[str, object] | None = None,
    fault: str = "",
) -> Settings:
    sources = [
        Source(Origin.MANAGED, "managed", managed or {}, fault),
        Source(Origin.INSTALLER, "/where/canary/installer", installer or {}),
        Source(Origin.USER, "/where/canary/user", user or {}),
    ]
    return Settings(load_schema(), sources)


OFF: dict[str, object] = {"EmbeddedBackend": False}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (_settings(), Setup.READY),
        (_settings(managed={"BackendUrl": URL}, installer=OFF), Setup.READY),
        (_settings(installer=OFF | {"BackendUrl": URL}), Setup.READY),
        (_settings(installer=OFF, user={"BackendUrl": URL}), Setup.READY),
        # What each machine installation lays down by itself is nobody's decision.
        (_settings(installer=OFF), Setup.ASK_IT_OR_TRY),
        (_settings(installer=OFF | {"Autostart": True}), Setup.ASK_IT_OR_TRY),
        (_settings(installer=OFF | {"ProxyMode": "none"}), Setup.ASK_IT),
        (_settings(managed=OFF), Setup.ASK_IT),
        (_settings(managed={"Theme": "dark"}, installer=OFF), Setup.ASK_IT),
        (_settings(managed={"Unknown": 1}, installer=OFF), Setup.ASK_IT),
        # The user can't bring the sample back, nor is an unreadable place no place.
        (_settings(installer=OFF, user={"EmbeddedBackend": True}), Setup.ASK_IT_OR_TRY),
        (_settings(installer=OFF, fault="it can't be read"), Setup.READY),
    ],
)
def test_who_can_set_parley_up(settings: Settings, expected: Setup) -> None:
    assert setup_of(settings) is expected


def test_the_report_names_origins_and_no_path() -> None:
    report = setup_report(_settings(managed={"Odd": 1}, installer=OFF), "1.2.3")
    assert "Parley 1.2.3" in report and "origin installer" in report and "Odd" in report
    assert "canary" not in report and report.endswith("Code: SETUP-1")
