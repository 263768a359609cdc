"""The dialogs that Windows Installer itself opens: errors, programs that use files; text styles.

It does not hold what somebody sees in an ordinary installation: msi_dialogs.py does.
"""

from __future__ import annotations

from installers.windows.msi_database import Table, table
from installers.windows.msi_dialog_tables import (
    BUTTON_TOP,
    CANCEL,
    FOR_ERRORS,
    KEEPS_OTHERS,
    LEFT,
    NEXT,
    TEXT_WIDTH,
    Control,
    Dialog,
    Event,
    button,
    headed,
    label,
)

_FILES_IN_USE = "FileInUseProcess"  # where Windows Installer lists the programs


def error_dialog() -> Dialog:
    """Return the dialog Windows Installer shows for an error; it hides what does not fit.

    Source: Windows Installer SDK, "Error Dialog" and "ICE20": style, names and results are fixed
    there. Windows places the buttons beside each other.
    """
    answers = ("Abort", "Cancel", "Ignore", "No", "Ok", "Retry", "Yes")
    text = label("ErrorText", (20, 12, 230, 60), "")
    buttons = [
        button(one[0], 20, 80, "OK" if one == "Ok" else one, Event("EndDialog", f"Error{one}"))
        for one in answers
    ]
    return Dialog(
        "ErrorDlg",
        [text, *buttons],
        default="O",
        cancel="O",
        size=(270, 105),
        style=FOR_ERRORS,
        first="ErrorText",
    )


def files_in_use() -> Dialog:
    """Return the dialog shown where Restart Manager is off."""
    head = headed("Programs are open", "Please close these programs and go on.")
    return Dialog(
        "FilesInUse",
        [
            *head,
            Control("List", "ListBox", (LEFT, 80, TEXT_WIDTH, 140), property=_FILES_IN_USE),
            button("Retry", CANCEL, BUTTON_TOP, "&Retry", Event("EndDialog", "Retry")),
            button("Ignore", NEXT, BUTTON_TOP, "&Ignore", Event("EndDialog", "Ignore")),
            button("Exit", LEFT, BUTTON_TOP, "E&xit", Event("EndDialog", "Exit")),
        ],
        default="Retry",
        cancel="Exit",
        style=KEEPS_OTHERS,
    )


def programs_to_close() -> Dialog:
    """Return the dialog by which Windows offers to close the programs itself.

    Source: Windows Installer SDK, "MsiRMFilesInUse Dialog".
    """
    head = headed("Programs are open", "These programs use files that have to be replaced:")
    choice = Control("Choice", "RadioButtonGroup", (LEFT, 178, TEXT_WIDTH, 44), property=_CHOICE)
    go_on = button(
        "Ok",
        NEXT,
        BUTTON_TOP,
        "&OK",
        Event("RMShutdownAndRestart", "0", f'{_CHOICE} = "UseRM"'),
        Event("EndDialog", "Return"),
    )
    return Dialog(
        "MsiRMFilesInUse",
        [
            *head,
            Control("List", "ListBox", (LEFT, 70, TEXT_WIDTH, 100), property=_FILES_IN_USE),
            choice,
            go_on,
            button("Cancel", CANCEL, BUTTON_TOP, "Cancel", Event("EndDialog", "Exit")),
        ],
        default="Ok",
        cancel="Cancel",
        style=KEEPS_OTHERS,
    )


_CHOICE = "RestartManagerOption"


def list_entries() -> Table:
    """Return the table into which Windows Installer writes the programs that its lists show."""
    return table("ListBox", "Property:s72 Order:i2 Value:s64 Text:L64", keys=2)


def radio_buttons() -> Table:
    """Return the two answers of the dialog that Restart Manager needs."""
    buttons = table(
        "RadioButton",
        "Property:s72 Order:i2 Value:s64 X:i2 Y:i2 Width:i2 Height:i2 Text:L64 Help:L50",
        keys=2,
    )
    texts = (
        ("UseRM", "&Close them and start them again (Parley saves everything)"),
        ("DontUseRM", "&Leave them open (restart the computer later)"),
    )
    for order, (value, text) in enumerate(texts, start=1):
        buttons.add(
            Property=_CHOICE,
            Order=order,
            Value=value,
            X=0,
            Y=(order - 1) * 20,
            Width=TEXT_WIDTH,
            Height=17,
            Text=text,
        )
    return buttons


def text_styles() -> Table:
    """Return the faces of the dialogs' words."""
    styles = table("TextStyle", "TextStyle:s72 FaceName:s32 Size:i2 Color:I4 StyleBits:I2")
    styles.add(TextStyle="Body", FaceName="Tahoma", Size=8)
    styles.add(TextStyle="Heading", FaceName="Tahoma", Size=12, StyleBits=1)
    return styles
