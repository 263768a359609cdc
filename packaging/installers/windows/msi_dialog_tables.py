"""Dialogs of Windows Installer as values, and the rows of the tables they are made of.

It does not know what any dialog says or does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from installers.windows.msi_database import Table, table

VISIBLE, ENABLED, SUNKEN, TRANSPARENT, NO_PREFIX = 1, 2, 4, 0x10000, 0x20000
ELEVATION_SHIELD, NO_FOLLOW_UP, SIZED_LIKE_95 = 0x800000, 0x100000, 0x10000
_TABBED = frozenset(("PushButton", "CheckBox", "Edit", "PathEdit", "RadioButtonGroup", "ListBox"))
_MODAL, _CENTRE_PERCENT = 2, 50
KEEPS_OTHERS, FOR_ERRORS = 16, 0x10000  # styles of dialogs that Windows Installer itself opens
# Installer units: a twelfth of the system font's height.
WIDTH, HEIGHT = 370, 270
LEFT, TEXT_WIDTH, BUTTON_TOP = 20, 330, 243
BACK, NEXT, CANCEL = 170, 232, 294


@dataclass(frozen=True, slots=True)
class Event:
    """What pressing a control does; a condition of `1` always holds."""

    name: str
    argument: str
    condition: str = "1"


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its place in installer units, and what it says or changes."""

    name: str
    kind: str
    box: tuple[int, int, int, int]  # left, top, width, height
    text: str = ""
    property: str = ""
    attributes: int = VISIBLE | ENABLED
    events: tuple[Event, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()  # Enable, Disable, Show, Hide … with its condition
    follows: tuple[tuple[str, str], ...] = ()  # what the installation tells → the control's part


@dataclass(frozen=True, slots=True)
class Dialog:
    """One dialog; `first`, else the first control that takes the keyboard, has it at the start."""

    name: str
    controls: list[Control] = field(default_factory=list)
    default: str = ""
    cancel: str = ""
    size: tuple[int, int] = (WIDTH, HEIGHT)
    modal: bool = True
    style: int = 0
    first: str = ""
    title: str = "[ProductName]"


def label(name: str, box: tuple[int, int, int, int], text: str, style: str = "") -> Control:
    """Return words on the dialog; `style` names a row of the TextStyle table."""
    shown = f"{{\\{style}}}{text}" if style else text
    return Control(name, "Text", box, shown, attributes=VISIBLE | ENABLED | NO_PREFIX | TRANSPARENT)


def rule(name: str, top: int, width: int = WIDTH) -> Control:
    """Return a line across the dialog."""
    return Control(name, "Line", (0, top, width, 0), attributes=VISIBLE)


def button(
    name: str, left: int, top: int, text: str, *events: Event, attributes: int = VISIBLE | ENABLED
) -> Control:
    """Return a push button of the usual size."""
    return Control(
        name, "PushButton", (left, top, 56, 17), text, events=events, attributes=attributes
    )


def headed(title: str, text: str) -> list[Control]:
    """Return what each large dialog begins with, and the line above its buttons."""
    return [
        label("Title", (LEFT, 15, TEXT_WIDTH, 18), title, "Heading"),
        label("Text", (LEFT, 38, TEXT_WIDTH, 36), text),
        rule("Rule", 234),
    ]


def dialog_tables(dialogs: Iterable[Dialog]) -> list[Table]:
    """Return the tables Dialog, Control, ControlEvent, ControlCondition, EventMapping, CheckBox."""
    dialog = table(
        "Dialog",
        "Dialog:s72 HCentering:i2 VCentering:i2 Width:i2 Height:i2 Attributes:I4 Title:L128 "
        "Control_First:s50 Control_Default:S50 Control_Cancel:S50",
    )
    control = table(
        "Control",
        "Dialog_:s72 Control:s50 Type:s20 X:i2 Y:i2 Width:i2 Height:i2 Attributes:I4 "
        "Property:S50 Text:L0 Control_Next:S50 Help:L50",
        keys=2,
    )
    event = table(
        "ControlEvent",
        "Dialog_:s72 Control_:s50 Event:s50 Argument:s255 Condition:S255 Ordering:I2",
        keys=5,
    )
    condition = table(
        "ControlCondition", "Dialog_:s72 Control_:s50 Action:s50 Condition:s255", keys=4
    )
    mapping = table("EventMapping", "Dialog_:s72 Control_:s50 Event:s50 Attribute:s50", keys=3)
    ticks = table("CheckBox", "Property:s50 Value:S64")
    for one in dialogs:
        _add_dialog(dialog, one)
        following = _next_controls(one)
        for part in one.controls:
            _add_control(control, one, part, following.get(part.name, ""))
            _add_behaviour(event, condition, mapping, one, part)
            if part.kind == "CheckBox" and [part.property, "1"] not in ticks.rows:
                ticks.add(Property=part.property, Value="1")
    return [dialog, control, event, condition, mapping, ticks]


def _next_controls(dialog: Dialog) -> dict[str, str]:
    """Return the circle in which Tab goes through the dialog."""
    names = [part.name for part in dialog.controls if part.kind in _TABBED]
    return dict(zip(names, [*names[1:], *names[:1]], strict=True)) if len(names) > 1 else {}


def _add_dialog(rows: Table, dialog: Dialog) -> None:
    names = [part.name for part in dialog.controls if part.kind in _TABBED]
    rows.add(
        Dialog=dialog.name,
        HCentering=_CENTRE_PERCENT,
        VCentering=_CENTRE_PERCENT,
        Width=dialog.size[0],
        Height=dialog.size[1],
        Attributes=VISIBLE | (_MODAL if dialog.modal else 0) | dialog.style,
        Title=dialog.title,
        Control_First=dialog.first or names[0],
        Control_Default=dialog.default,
        Control_Cancel=dialog.cancel,
    )


def _add_control(rows: Table, dialog: Dialog, part: Control, following: str) -> None:
    left, top, width, height = part.box
    rows.add(
        Dialog_=dialog.name,
        Control=part.name,
        Type=part.kind,
        X=left,
        Y=top,
        Width=width,
        Height=height,
        Attributes=part.attributes,
        Property=part.property,
        Text=part.text,
        Control_Next=following,
    )


def _add_behaviour(
    events: Table, conditions: Table, mappings: Table, dialog: Dialog, part: Control
) -> None:
    where = {"Dialog_": dialog.name, "Control_": part.name}
    for number, one in enumerate(part.events, start=1):
        events.add(
            **where,
            Event=one.name,
            Argument=one.argument,
            Condition=one.condition,
            Ordering=number,
        )
    for action, when in part.conditions:
        conditions.add(**where, Action=action, Condition=when)
    for event, attribute in part.follows:
        mappings.add(**where, Event=event, Attribute=attribute)
