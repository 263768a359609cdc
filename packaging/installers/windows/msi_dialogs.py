"""The dialogs that somebody sees who installs, repairs or removes Parley by hand.

It never asks for anything that the command line can't give as well.
"""

from __future__ import annotations

from installers.windows.msi_database import Table
from installers.windows.msi_dialog_tables import (
    BACK,
    BUTTON_TOP,
    CANCEL,
    ELEVATION_SHIELD,
    ENABLED,
    LEFT,
    NEXT,
    NO_PREFIX,
    SUNKEN,
    TEXT_WIDTH,
    TRANSPARENT,
    VISIBLE,
    Control,
    Dialog,
    Event,
    button,
    dialog_tables,
    headed,
    label,
)
from installers.windows.msi_identity import Variant
from installers.windows.msi_sequences import ADDRESS_FAULTLESS
from installers.windows.msi_system_dialogs import (
    error_dialog,
    files_in_use,
    list_entries,
    programs_to_close,
    radio_buttons,
    text_styles,
)
from installers.windows.msi_texts import ui_texts


def user_interface(variant: Variant, licence_rtf: str) -> list[Table]:
    """Return every table of the user interface; the licence is one line of RTF."""
    dialogs = [
        _welcome(licence_rtf),
        _options(variant),
        _maintenance(),
        _progress(),
        _finish(),
        _end("FailedDlg", "Parley was not installed", _FAILED, "Exit"),
        _end("CancelledDlg", "Stopped before the end", _CANCELLED, "Exit"),
        _question("CancelDlg", "Stop now? Nothing will be changed.", "Exit", "Return"),
        _message("AddressDlg", _ADDRESS),
        _message("OutOfDiskDlg", _NO_SPACE),
        error_dialog(),
        files_in_use(),
        programs_to_close(),
    ]
    lists = [list_entries(), radio_buttons()]
    return [*dialog_tables(dialogs), *lists, text_styles(), *ui_texts()]


_FAILED = (
    "Windows Installer could not finish, and took back what it had changed. The reason stands "
    "in its log: msiexec /i, the package's name, /l*v and a file's name write one."
)
_CANCELLED = "Everything is as it was before. Start the package again when you want to go on."
_ADDRESS = (
    "The address has to start with https://, as https://parley.example.com. Leave it empty where "
    "your firm's IT sets it."
)
_NO_SPACE = "There is not enough free space on the disk. Free some, or choose a folder elsewhere."


def _cancel_button() -> Control:
    return button("Cancel", CANCEL, BUTTON_TOP, "Cancel", Event("SpawnDialog", "CancelDlg"))


def _welcome(licence_rtf: str) -> Dialog:
    accepted = "LICENCE_ACCEPTED"
    following = Control(
        "Next",
        "PushButton",
        (NEXT, BUTTON_TOP, 56, 17),
        "&Next",
        events=(Event("NewDialog", "OptionsDlg"),),
        conditions=(("Disable", f"NOT {accepted}"), ("Enable", accepted)),
    )
    licence = Control(
        "Licence",
        "ScrollableText",
        (LEFT, 70, TEXT_WIDTH, 138),
        licence_rtf,
        attributes=VISIBLE | ENABLED | SUNKEN | NO_PREFIX,
    )
    accept = Control(
        "Accept", "CheckBox", (LEFT, 213, TEXT_WIDTH, 17), "I &accept these terms", accepted
    )
    head = headed(
        "Install Parley [ProductVersion]",
        "Parley is the inbox for messages with clients. Please read the terms of its use.",
    )
    controls = [*head, licence, accept, following, _cancel_button()]
    return Dialog("WelcomeDlg", controls, default="Next", cancel="Cancel")


def _options(variant: Variant) -> Dialog:
    whom = "everyone on this computer" if variant.name == "machine" else "you alone"
    full = "OutOfDiskSpace = 1"
    install = button(
        "Install",
        NEXT,
        BUTTON_TOP,
        "&Install",
        Event("SetTargetPath", "INSTALLDIR"),
        Event("SpawnDialog", "AddressDlg", f"NOT ({ADDRESS_FAULTLESS})"),
        Event("SpawnDialog", "OutOfDiskDlg", full),
        Event("EndDialog", "Return", f"({ADDRESS_FAULTLESS}) AND NOT {full}"),
        attributes=VISIBLE | ENABLED | (ELEVATION_SHIELD if variant.name == "machine" else 0),
    )
    return Dialog(
        "OptionsDlg",
        [
            *headed("How Parley is installed", f"It will be installed for {whom}."),
            label("FolderText", (LEFT, 66, TEXT_WIDTH, 10), "Folder:"),
            Control("Folder", "PathEdit", (LEFT, 78, TEXT_WIDTH, 16), property="INSTALLDIR"),
            label("AddressText", (LEFT, 106, TEXT_WIDTH, 20), _ASK_ADDRESS),
            Control("Address", "Edit", (LEFT, 128, TEXT_WIDTH, 16), "{255}", "BACKEND_URL"),
            _tick("DesktopShortcut", 156, "Shortcut on the &desktop", "DESKTOP_SHORTCUT"),
            _tick("Autostart", 174, "&Start Parley with Windows", "AUTOSTART"),
            button("Back", BACK, BUTTON_TOP, "&Back", Event("NewDialog", "WelcomeDlg")),
            install,
            _cancel_button(),
        ],
        default="Install",
        cancel="Cancel",
    )


_ASK_ADDRESS = (
    "Address of your firm's Parley backend (leave it empty where your firm's IT sets it):"
)


def _tick(name: str, top: int, text: str, changed: str) -> Control:
    return Control(name, "CheckBox", (LEFT, top, TEXT_WIDTH, 16), text, changed)


def _maintenance() -> Dialog:
    repair = (
        Event("ReinstallMode", "amus"),
        Event("Reinstall", "ALL"),
        Event("EndDialog", "Return"),
    )
    remove = (Event("Remove", "ALL"), Event("EndDialog", "Return"))
    return Dialog(
        "MaintenanceDlg",
        [
            *headed("Parley [ProductVersion] is installed", "What should be done?"),
            button("Repair", LEFT, 80, "&Repair", *repair),
            label("RepairText", (90, 80, 260, 24), "Writes all files and entries anew."),
            button("Remove", LEFT, 112, "Re&move", *remove),
            label("RemoveText", (90, 112, 260, 24), _REMOVES),
            _cancel_button(),
        ],
        default="Repair",
        cancel="Cancel",
    )


_REMOVES = "Removes Parley. Messages and settings of the people who use it stay."


def _progress() -> Dialog:
    bar = Control(
        "Bar",
        "ProgressBar",
        (LEFT, 110, TEXT_WIDTH, 12),
        "Progress",
        attributes=VISIBLE | SUNKEN | _SMOOTH,
        follows=(("SetProgress", "Progress"),),
    )
    doing = Control(
        "Doing",
        "Text",
        (LEFT, 90, TEXT_WIDTH, 12),
        attributes=VISIBLE | ENABLED | NO_PREFIX | TRANSPARENT,
        follows=(("ActionText", "Text"),),
    )
    head = headed(
        "Please wait", "Parley is being installed, repaired or removed: less than a minute."
    )
    return Dialog(
        "ProgressDlg", [*head, doing, bar, _cancel_button()], "Cancel", "Cancel", modal=False
    )


_SMOOTH = 0x10000


def _finish() -> Dialog:
    start = "START_PARLEY AND NOT Installed"
    finish = button(
        "Finish",
        NEXT,
        BUTTON_TOP,
        "&Finish",
        Event("DoAction", "LaunchParley", start),
        Event("EndDialog", "Exit"),
    )
    tick = Control(
        "Start",
        "CheckBox",
        (LEFT, 80, TEXT_WIDTH, 16),
        "&Start Parley now",
        "START_PARLEY",
        attributes=ENABLED,
        conditions=(("Show", "NOT Installed"),),
    )
    head = headed("Done", "What you asked for was done.")
    return Dialog("FinishDlg", [*head, tick, finish], default="Finish", cancel="Finish")


def _end(name: str, title: str, text: str, result: str) -> Dialog:
    close = button("Close", NEXT, BUTTON_TOP, "&Close", Event("EndDialog", result))
    return Dialog(name, [*headed(title, text), close], default="Close", cancel="Close")


def _question(name: str, text: str, yes: str, no: str) -> Dialog:
    return Dialog(
        name,
        [
            label("Text", (20, 15, 220, 24), text),
            button("No", 72, 57, "&No", Event("EndDialog", no)),
            button("Yes", 132, 57, "&Yes", Event("EndDialog", yes)),
        ],
        default="No",
        cancel="No",
        size=(260, 85),
    )


def _message(name: str, text: str) -> Dialog:
    close = button("Close", 102, 62, "&OK", Event("EndDialog", "Return"))
    words = label("Text", (20, 12, 220, 44), text)
    return Dialog(name, [words, close], default="Close", cancel="Close", size=(260, 90))
