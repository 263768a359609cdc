"""What an administrator's commands say about accounts: who answers, modes, native capture, texts.

It never starts a backend, and reaches no vendor.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.workspace_errors import WorkspaceError
from tests.support.firm_backend import FirmBackend

ANNA, BEN = "emp-anna", "emp-ben"


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> FirmBackend:
    """Make one firm with two employees and Anna's own phone."""
    firm = FirmBackend(tmp_path_factory.mktemp("made"), port=9)
    firm.add_employee(ANNA, "Anna Keller")
    firm.add_employee(BEN, "Ben Okafor")
    native = ("native", "add", "--account", "phone", "--channel", "whatsapp")
    firm.admin(*native, "--label", "Anna's phone", "--employee", ANNA)
    return firm


def test_accounts_are_pooled_owned_and_named(firm: FirmBackend) -> None:
    firm.admin("account", "join", "--account", "phone", "--employee", BEN)
    firm.admin("account", "own", "--account", "phone", "--employee", BEN)
    change = ("account", "set", "--account", "phone", "--kind", "pooled", "--consent", "opt_in")
    (told,) = firm.admin(*change, "--shown-name", "Bank of Tests", "--language", "de")
    assert told["changed"]
    (line,) = firm.admin("account", "list")
    assert (line["members"], line["triage"], line["pooled"]) == ([ANNA, BEN], [BEN], True)
    assert (line["shown_name"], line["consent"], line["language"]) == (
        "Bank of Tests",
        "opt_in",
        "de",
    )
    assert firm.admin("triage", "list", "--as", BEN) == []
    with pytest.raises(WorkspaceError, match="no such account"):
        firm.admin("account", "own", "--account", "nowhere", "--employee", BEN)


def test_modes_and_native_accounts_are_listed(firm: FirmBackend) -> None:
    mode = ("mode", "set", "--employee", BEN, "--channel", "line", "--mode", "native")
    assert firm.admin(*mode)[0]["changed"]
    assert not firm.admin(*mode)[0]["changed"]
    assert [(one["employee_id"], one["mode"]) for one in firm.admin("mode", "list")] == [
        (BEN, "native")
    ]
    firm.admin("native", "limit", "--account", "phone", "--hours", "48")
    (native,) = firm.admin("native", "list")
    assert (native["silent_after_h"], native["silent"]) == (48, False)


def test_texts_are_added_as_versions_and_listed_with_the_shipped_ones(
    firm: FirmBackend, tmp_path: Path
) -> None:
    file = tmp_path / "text"
    file.write_text("{firm} zeichnet auf.", encoding="utf-8")
    add = ("consent-text", "add", "--kind", "notice", "--language", "de", "--file", str(file))
    assert firm.admin(*add) == [{"version": "notice/all/de/1"}]
    assert firm.admin(*add, "--channel", "sms") == [{"version": "notice/sms/de/1"}]
    listed = firm.admin("consent-text", "list")
    assert listed[0]["body"] == "{firm} zeichnet auf."
    assert {"opt_in/all/zh-Hant/shipped-1", "notice/sms/de/1"} <= {one["version"] for one in listed}
