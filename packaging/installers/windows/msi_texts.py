"""The sentences Windows Installer says while it works: actions, errors, sizes, the licence.

It does not hold what the dialogs themselves say.
"""

from __future__ import annotations

from pathlib import Path

from installers.windows.msi_database import Table, table

# Properties the dialogs read; START_PARLEY is ticked at the start.
UI_PROPERTIES = {
    "DefaultUIFont": "Body",
    "ErrorDialog": "ErrorDlg",
    "RestartManagerOption": "UseRM",
    "START_PARLEY": "1",
}
_ACTIONS = {
    "FindRelatedProducts": "Looking for an older Parley",
    "CostFinalize": "Counting the space that is needed",
    "InstallValidate": "Looking whether everything can be done",
    "RemoveExistingProducts": "Removing the older Parley",
    "InstallFiles": "Copying files",
    "RemoveFiles": "Removing files",
    "CreateShortcuts": "Making shortcuts",
    "RemoveShortcuts": "Removing shortcuts",
    "WriteRegistryValues": "Writing settings",
    "RemoveRegistryValues": "Removing settings",
    "PublishProduct": "Telling Windows",
    "Rollback": "Taking back what was changed",
}
# Numbers and arguments: Windows Installer SDK, "Windows Installer Error Messages".
_ERRORS = {
    0: "{{Fatal error: }}",
    1: "{{Error [1]. }}",
    2: "Warning [1]. ",
    4: "Info [1]. ",
    5: "The installer met an unexpected error installing this package. Its code is [1]. "
    "{{The arguments are: [2], [3], [4]}}",
    9: "[2]{, [3]}{, [4]}",
    12: "=== Logging started: [Date] [Time] ===",
    13: "=== Logging stopped: [Date] [Time] ===",
    14: "Action start [Time]: [1].",
    15: "Action ended [Time]: [1]. Return value [2].",
    1304: "Error writing to [2]. Check that you may write into that folder.",
    1305: "Error reading [2]. {{System error [3].}} Check that it exists and that you may read it.",
    1306: "Another program uses [2]. Close it, then press Retry.",
    1307: "There is not enough disk space to install [2]. Free some and press Retry, or Cancel.",
    1309: "Error opening [2]. {{System error [3].}} Check that it exists and that you may read it.",
    1310: "Error writing [2]. {{System error [3].}} Check that you may write into that folder.",
    1321: "You may not change [2]. {{System error [3].}}",
    1327: "The drive [2] can't be used.",
    1402: "The registry key [2] could not be opened. {{System error [3].}}",
    1406: "The value [2] could not be written to the registry key [3]. {{System error [4].}}",
    1500: "Another installation runs. Finish it before this one.",
    1603: "The file [2] is in use by [3]. Close that program and press Retry.",
    1606: "The place [2] can't be reached.",
    1704: "An installation of [2] was interrupted. Take back what it had changed?",
    1706: "The package of [2] could not be found. Give it at its place, then try again.",
    1709: "Product: [2], [3]",
    1730: "Only an administrator can remove this.",
    1925: "Only an administrator can install this for everyone on the computer. "
    "For one person take the package whose name ends in user.msi.",
    1935: "An assembly could not be installed: [2]. {{[3], [4], [5]}}",
    1938: "The computer has to be restarted to finish.",
}
_UI_TEXTS = {
    "bytes": "bytes",
    "KB": "KB",
    "MB": "MB",
    "GB": "GB",
    "TimeRemaining": "Time left: {[1] min }{[2] s}",
    "ScriptInProgress": "Gathering what has to be done",
    "VolumeCostVolume": "Volume",
    "VolumeCostSize": "Disk size",
    "VolumeCostAvailable": "Available",
    "VolumeCostRequired": "Needed",
    "VolumeCostDifference": "Difference",
}


def ui_texts() -> list[Table]:
    """Return the tables ActionText, Error and UIText."""
    actions = table("ActionText", "Action:s72 Description:L0 Template:L0")
    for action, description in _ACTIONS.items():
        actions.add(Action=action, Description=description)
    errors = table("Error", "Error:i2 Message:L0")
    for number, message in _ERRORS.items():
        errors.add(Error=number, Message=message)
    texts = table("UIText", "Key:s72 Text:L255")
    for key, text in _UI_TEXTS.items():
        texts.add(Key=key, Text=text)
    return [actions, errors, texts]


def licence_rtf(source: Path) -> str:
    """Return a plain text as one line of RTF: an empty line ends a paragraph, `# ` heads one."""
    paragraphs = source.read_text(encoding="ascii").strip().split("\n\n")
    body = "".join(f"{_paragraph(' '.join(one.split()))}\\par\\par " for one in paragraphs)
    return r"{\rtf1\ansi\deff0{\fonttbl{\f0 Tahoma;}}\f0\fs16 " + body + "}"


def _paragraph(text: str) -> str:
    for sign in ("\\", "{", "}"):
        text = text.replace(sign, f"\\{sign}")
    return rf"{{\b {text[2:]}}}" if text.startswith("# ") else text
