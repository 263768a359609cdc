"""What Windows Installer does with a package, in which order, and what it remembers.

It never writes anything outside the tables it returns.
"""

from __future__ import annotations

from collections.abc import Mapping

from installers.windows.msi_database import Table, table
from installers.windows.msi_identity import Variant

_SET = 51  # a property from text
_SET_ONCE = _SET | 256  # not again in the second half, where the dialogs ran
_RUN_IN_FOLDER, _IGNORE_RESULT, _IN_SCRIPT = 34, 64, 1024
_RUN_FILE, _NO_WAIT = 18, 192

# What an administrator may give on the command line.
PUBLIC_PROPERTIES = (
    "BACKEND_URL",
    "EMBEDDED_BACKEND",
    "AUTOSTART",
    "DESKTOP_SHORTCUT",
    "INSTALLDIR",
)
_FOUND = ("NEWER_PARLEY", "OLDER_PARLEY")

# A web address that Parley takes (app/settings/values.py says the same): TLS, or this computer.
_LOCAL = "http://127.0.0.1"
ADDRESS_FAULTLESS = (
    'NOT BACKEND_URL OR BACKEND_URL ~<< "https://" OR '
    f'BACKEND_URL ~<< "{_LOCAL}:" OR BACKEND_URL ~<< "{_LOCAL}/" OR BACKEND_URL ~= "{_LOCAL}"'
)

# Numbers come out of the registry as #1; what is remembered as 0 needs no action where 0 is meant.
_REMEMBERED_NUMBERS = {"EMBEDDED_BACKEND": "01", "AUTOSTART": "1", "DESKTOP_SHORTCUT": "1"}

# Name, type, source, target and condition of a custom action.
_Action = tuple[str, int, str, str, str]


def _remembering(variant: Variant) -> list[_Action]:
    """Return what fills in properties nobody gave: as at the last time, else the default."""
    actions: list[_Action] = []
    for name in ("BACKEND_URL", "INSTALLDIR"):
        known = f"NOT {name} AND REMEMBERED_{name}"
        actions.append((f"Remember{name}", _SET_ONCE, name, f"[REMEMBERED_{name}]", known))
    for name, values in _REMEMBERED_NUMBERS.items():
        for value in values:
            known = f'NOT {name} AND REMEMBERED_{name} = "#{value}"'
            actions.append((f"Remember{name}{value}", _SET_ONCE, name, value, known))
    name = "EMBEDDED_BACKEND"
    actions.append((f"Default{name}", _SET, name, variant.embedded_backend, f"NOT {name}"))
    return actions


# A tick is a property that is there at all: 0 has to go before the dialogs and come back after.
_UNTICKED: list[_Action] = [
    (f"Untick{name}", _SET, name, "{}", f"{name} = 0") for name in ("AUTOSTART", "DESKTOP_SHORTCUT")
]
_ZEROES: list[_Action] = [
    (f"Default{name}", _SET, name, "0", f"NOT {name}") for name in ("AUTOSTART", "DESKTOP_SHORTCUT")
]
_LOCATION: _Action = ("TellLocation", _SET, "ARPINSTALLLOCATION", "[INSTALLDIR]", "")
_LAUNCH: _Action = ("LaunchParley", _RUN_FILE | _NO_WAIT, "parley.exe", "", "")
# The app itself writes this value when its user wants autostart; nothing else would remove it.
_FORGET_AUTOSTART: _Action = (
    "ForgetAutostart",
    _RUN_IN_FOLDER | _IGNORE_RESULT | _IN_SCRIPT,
    "INSTALLDIR",
    r'"[System64Folder]reg.exe" delete HKCU\Software\Microsoft\Windows\CurrentVersion\Run'
    " /v Parley /f",
    'REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE',
)

_PREPARE = (
    ("FindRelatedProducts", "", 25),
    ("AppSearch", "", 50),
    ("LaunchConditions", "", 100),
)
_COST = (
    ("ValidateProductID", "", 700),
    ("CostInitialize", "", 800),
    ("FileCost", "", 900),
    ("CostFinalize", "", 1000),
)
# The older Parley goes inside the transaction: a failed upgrade brings it back.
_INSTALL = (
    ("MigrateFeatureStates", "", 1200),
    ("InstallValidate", "", 1400),
    ("InstallInitialize", "", 1500),
    ("RemoveExistingProducts", "", 1501),
    ("ProcessComponents", "", 1600),
    ("UnpublishFeatures", "", 1800),
    ("RemoveRegistryValues", "", 2600),
    ("RemoveShortcuts", "", 3200),
    ("RemoveDuplicateFiles", "", 3400),
    ("RemoveFiles", "", 3500),
    ("RemoveFolders", "", 3600),
    ("CreateFolders", "", 3700),
    ("InstallFiles", "", 4000),
    ("DuplicateFiles", "", 4210),
    ("CreateShortcuts", "", 4500),
    ("WriteRegistryValues", "", 5000),
    ("RegisterUser", "", 6000),
    ("RegisterProduct", "", 6100),
    ("PublishFeatures", "", 6300),
    ("PublishProduct", "", 6400),
    ("InstallFinalize", "", 6600),
)
_DIALOGS = (
    ("MigrateFeatureStates", "", 1200),
    ("WelcomeDlg", "NOT Installed", 1210),
    ("MaintenanceDlg", "Installed AND NOT RESUME AND NOT Preselected", 1220),
    ("ProgressDlg", "", 1280),
    ("ExecuteAction", "", 1300),
    ("FinishDlg", "", -1),
    ("CancelledDlg", "", -2),
    ("FailedDlg", "", -3),
)
_BEFORE_COST, _AFTER_COST, _BEFORE_RUN_REMOVED = 200, 1010, 2500


def sequences(tables: Mapping[str, Table], variant: Variant, version: str) -> list[Table]:
    """Return the action tables, the upgrade rules and the properties, ready to be written."""
    remembering = _remembering(variant)
    execute = _sequence("InstallExecuteSequence", (*_PREPARE, *_COST, *_INSTALL))
    _place(execute, [*remembering, *_ZEROES], _BEFORE_COST)
    _place(execute, [_LOCATION], _AFTER_COST)
    dialogs = _sequence("InstallUISequence", (*_PREPARE, *_COST, *_DIALOGS))
    _place(dialogs, [*remembering, *_UNTICKED], _BEFORE_COST)
    actions = [*remembering, *_ZEROES, *_UNTICKED, _LOCATION, _LAUNCH]
    if variant.name == "user":
        _place(execute, [_FORGET_AUTOSTART], _BEFORE_RUN_REMOVED)
        actions.append(_FORGET_AUTOSTART)
    custom = table("CustomAction", "Action:s72 Type:i2 Source:S72 Target:S0 ExtendedType:I4")
    for name, kind, source, target, _ in actions:
        custom.add(Action=name, Type=kind, Source=source, Target=target)
    return [execute, dialogs, custom, _upgrade(variant, version), _properties(tables["Property"])]


def _sequence(name: str, actions: tuple[tuple[str, str, int], ...]) -> Table:
    sequence = table(name, "Action:s72 Condition:S255 Sequence:I2")
    for action, condition, number in actions:
        sequence.add(Action=action, Condition=condition, Sequence=number)
    return sequence


def _place(sequence: Table, actions: list[_Action], first: int) -> None:
    for number, (name, _, _, _, condition) in enumerate(actions, start=first):
        sequence.add(Action=name, Condition=condition, Sequence=number)


def _upgrade(variant: Variant, version: str) -> Table:
    """Return the rules: older ones are replaced, newer ones only found (and then refused)."""
    upgrade = table(
        "Upgrade",
        "UpgradeCode:s38 VersionMin:S20 VersionMax:S20 Language:S255 Attributes:i4 "
        "Remove:S255 ActionProperty:s72",
        keys=5,
    )
    migrate, only_detect, minimum_inclusive = 1, 2, 256
    upgrade.add(
        UpgradeCode=variant.upgrade_code,
        VersionMin="0.0.0",
        VersionMax=version,
        Attributes=migrate | minimum_inclusive,
        ActionProperty="OLDER_PARLEY",
    )
    upgrade.add(
        UpgradeCode=variant.upgrade_code,
        VersionMin=version,
        Attributes=only_detect,
        ActionProperty="NEWER_PARLEY",
    )
    return upgrade


def _properties(properties: Table) -> Table:
    """Let the public properties through to the elevated half of the installation."""
    properties.rows = [row for row in properties.rows if row[0] != "SecureCustomProperties"]
    properties.add(
        Property="SecureCustomProperties", Value=";".join(sorted((*PUBLIC_PROPERTIES, *_FOUND)))
    )
    return properties
