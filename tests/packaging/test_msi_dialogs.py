"""Walks through the dialogs of both Windows packages as their tables describe them.

It never draws one: wine shows them by hand, a real Windows never did yet.
"""

from __future__ import annotations

import pytest

from installers.windows.msi_database import Table
from installers.windows.msi_dialogs import user_interface
from installers.windows.msi_identity import MACHINE, USER, Variant
from installers.windows.msi_sequences import _DIALOGS

Rows = list[dict[str, str]]
VISIBLE, ENABLED, FOR_ERRORS = 1, 2, 0x10000
TAKES_KEYS = {"PushButton", "CheckBox", "Edit", "PathEdit", "RadioButtonGroup", "ListBox"}
OPENED_BY_WINDOWS = {"ErrorDlg", "FilesInUse", "MsiRMFilesInUse"}
RESULTS = {"Exit", "Retry", "Ignore", "Return"}
ANSWERS = {"Abort", "Cancel", "Ignore", "No", "Ok", "Retry", "Yes"}

both = pytest.mark.parametrize("variant", [MACHINE, USER], ids=lambda one: one.name)


def tables_of(variant: Variant) -> dict[str, Table]:
    """Return the tables of a package's dialogs."""
    return {one.name: one for one in user_interface(variant, r"{\rtf1 terms}")}


def rows_of(variant: Variant, name: str) -> Rows:
    """Return the rows of one of them."""
    return tables_of(variant)[name].records()


def controls_of(variant: Variant, dialog: str) -> dict[str, dict[str, str]]:
    """Return a dialog's controls by their names."""
    rows = rows_of(variant, "Control")
    return {row["Control"]: row for row in rows if row["Dialog_"] == dialog}


@both
def test_every_dialog_is_reached_and_every_way_leads_on(variant: Variant) -> None:
    known = {row["Dialog"] for row in rows_of(variant, "Dialog")}
    reached = {name for name, _, _ in _DIALOGS if name.endswith("Dlg")} | OPENED_BY_WINDOWS
    events = rows_of(variant, "ControlEvent")
    for _ in known:
        reached |= {
            row["Argument"]
            for row in events
            if row["Event"] in {"NewDialog", "SpawnDialog"} and row["Dialog_"] in reached
        }
    assert reached == known
    buttons = {
        (row["Dialog_"], row["Control"])
        for row in rows_of(variant, "Control")
        if row["Type"] == "PushButton"
    }
    assert {(row["Dialog_"], row["Control_"]) for row in events} == buttons
    ends = {row["Argument"] for row in events if row["Event"] == "EndDialog"}
    assert ends == RESULTS | {f"Error{one}" for one in ANSWERS}


@both
def test_each_dialog_has_buttons_for_return_and_escape(variant: Variant) -> None:
    for dialog in rows_of(variant, "Dialog"):
        controls = controls_of(variant, dialog["Dialog"])
        for column in ("Control_Default", "Control_Cancel"):
            button = controls[dialog[column]]
            assert button["Type"] == "PushButton", dialog
            assert int(button["Attributes"]) & ENABLED
        assert dialog["Control_First"] in controls


@both
def test_escape_asks_before_an_installation_stops(variant: Variant) -> None:
    asked = {
        row["Dialog_"]: (row["Event"], row["Argument"])
        for row in rows_of(variant, "ControlEvent")
        if row["Control_"] == "Cancel" and row["Dialog_"].endswith("Dlg")
    }
    assert asked == dict.fromkeys(
        ("WelcomeDlg", "OptionsDlg", "MaintenanceDlg", "ProgressDlg"), ("SpawnDialog", "CancelDlg")
    )
    question = next(row for row in rows_of(variant, "Dialog") if row["Dialog"] == "CancelDlg")
    assert question["Control_Default"] == question["Control_Cancel"] == "No"


@both
def test_tab_goes_once_through_all_that_takes_keys_and_comes_back(variant: Variant) -> None:
    for dialog in rows_of(variant, "Dialog"):
        controls = controls_of(variant, dialog["Dialog"])
        wanted = [name for name, row in controls.items() if row["Type"] in TAKES_KEYS]
        met = wanted[:1]
        while (following := controls[met[-1]]["Control_Next"]) and following not in met:
            met.append(following)
        assert sorted(met) == sorted(wanted), dialog
        assert not following or following == met[0]


@both
def test_nothing_is_installed_before_the_terms_are_accepted(variant: Variant) -> None:
    properties = {
        row["Control"]: row["Property"] for row in controls_of(variant, "WelcomeDlg").values()
    }
    accepted = properties["Accept"]
    conditions = {
        row["Action"]: row["Condition"]
        for row in rows_of(variant, "ControlCondition")
        if (row["Dialog_"], row["Control_"]) == ("WelcomeDlg", "Next")
    }
    assert conditions == {"Disable": f"NOT {accepted}", "Enable": accepted}
    leads = [
        row["Control_"]
        for row in rows_of(variant, "ControlEvent")
        if row["Argument"] == "OptionsDlg"
    ]
    assert leads == ["Next"]


@both
def test_what_stands_on_a_dialog_fits_into_it_and_no_button_covers_another(
    variant: Variant,
) -> None:
    for dialog in rows_of(variant, "Dialog"):
        width, height = int(dialog["Width"]), int(dialog["Height"])
        seen: list[tuple[int, int, int, int]] = []
        for row in controls_of(variant, dialog["Dialog"]).values():
            left, top, wide, high = (int(row[name]) for name in ("X", "Y", "Width", "Height"))
            assert left + wide <= width, row
            assert top + high <= height, row
            if row["Type"] in TAKES_KEYS and dialog["Dialog"] != "ErrorDlg":
                for other in seen:
                    apart = (
                        left >= other[0] + other[2]
                        or other[0] >= left + wide
                        or top >= other[1] + other[3]
                        or other[1] >= top + high
                    )
                    assert apart, row
                seen.append((left, top, wide, high))


@both
def test_no_two_buttons_of_a_dialog_have_one_letter(variant: Variant) -> None:
    for dialog in rows_of(variant, "Dialog"):
        letters = [
            row["Text"].partition("&")[2][:1].lower()
            for row in controls_of(variant, dialog["Dialog"]).values()
            if "&" in row["Text"] and row["Type"] in {"PushButton", "CheckBox"}
        ]
        assert len(letters) == len(set(letters)), dialog


@both
def test_windows_finds_its_own_dialogs_as_it_expects_them(variant: Variant) -> None:
    """Windows Installer SDK: "Error Dialog", "FilesInUse Dialog", "MsiRMFilesInUse", "ICE20"."""
    dialogs = {row["Dialog"]: row for row in rows_of(variant, "Dialog")}
    marked = [name for name, row in dialogs.items() if int(row["Attributes"]) & FOR_ERRORS]
    assert marked == ["ErrorDlg"]
    assert dialogs["ErrorDlg"]["Control_First"] == "ErrorText"
    events = rows_of(variant, "ControlEvent")
    answers = {row["Control_"]: row["Argument"] for row in events if row["Dialog_"] == "ErrorDlg"}
    assert answers == {one[0]: f"Error{one}" for one in ANSWERS}
    buttons = controls_of(variant, "ErrorDlg")
    assert len({(buttons[one[0]]["Y"], buttons[one[0]]["Height"]) for one in ANSWERS}) == 1
    for name in ("FilesInUse", "MsiRMFilesInUse"):
        assert controls_of(variant, name)["List"]["Property"] == "FileInUseProcess"
    assert tables_of(variant)["ListBox"].keys == ["Property", "Order"]
    choices = [row["Value"] for row in rows_of(variant, "RadioButton")]
    assert choices == ["UseRM", "DontUseRM"]
