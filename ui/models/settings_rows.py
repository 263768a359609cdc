"""Describes the settings a user sees: what they say, their choices, and who holds them locked.

It never writes a setting.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.settings.keys import Key
from app.settings.schema import Value
from app.settings.settings import Settings
from ui.models.setting_words import origin_clause, origin_words

TEXT_SIZE = "TextSize"
TEXT_SIZES_PERCENT = (100, 110, 125, 150)
_NEXT_START = "Takes effect when Parley starts the next time."


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a setting with its words."""

    value: Value
    words: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the page; without choices its value is written by hand.

    `locked` says who set it, so that the user can't change it, or "".
    """

    key: str
    title: str
    description: str
    value: Value
    choices: tuple[Choice, ...] = ()
    locked: str = ""
    placeholder: str = ""


def setting_rows(settings: Settings, text_size_percent: int) -> tuple[SettingRow, ...]:
    """Return the page's lines from the top: every setting that a user may set."""
    return (
        *_look_rows(settings, text_size_percent),
        *_writing_rows(settings),
        SettingRow(
            Key.AUTOSTART,
            "Start with the session",
            "Whether Parley starts, minimised, when you sign in to this computer.",
            settings.flag(Key.AUTOSTART),
            (Choice(True, "Start Parley"), Choice(False, "Start nothing")),
            _locked(settings, Key.AUTOSTART),
        ),
        *_limit_rows(settings),
        *proxy_rows(settings),
        SettingRow(
            Key.LOG_LEVEL,
            "Log",
            f"How much Parley writes down for support; never what messages say. {_NEXT_START}",
            settings.text(Key.LOG_LEVEL),
            (
                Choice("warning", "Warnings and errors"),
                Choice("info", "Normal"),
                Choice("debug", "Detailed"),
            ),
            _locked(settings, Key.LOG_LEVEL),
        ),
    )


def service_words(settings: Settings) -> str:
    """Return where messages go, and how that is changed."""
    address = settings.text(Key.BACKEND_URL)
    if address:
        return f"Connected with {address}, {origin_clause(settings.origin(Key.BACKEND_URL))}."
    return (
        "Parley runs the sample workspace on this computer. To connect with your firm, IT sets "
        "the service's address (BackendUrl) for this computer; then start Parley again."
    )


def proxy_rows(settings: Settings) -> tuple[SettingRow, ...]:
    """Return how the service is reached; address and exceptions only for a proxy of one's own."""
    mode = SettingRow(
        Key.PROXY_MODE,
        "Proxy",
        f"How Parley reaches the service. {_NEXT_START}",
        settings.text(Key.PROXY_MODE),
        (
            Choice("system", "As the system"),
            Choice("none", "No proxy"),
            Choice("fixed", "The one below"),
        ),
        _locked(settings, Key.PROXY_MODE),
    )
    if mode.value != "fixed":
        return (mode,)
    address = SettingRow(
        Key.PROXY_URL,
        "Proxy address",
        _NEXT_START,
        settings.text(Key.PROXY_URL),
        locked=_locked(settings, Key.PROXY_URL),
        placeholder="http://proxy.example.com:8080",
    )
    direct = SettingRow(
        Key.PROXY_BYPASS,
        "Hosts without proxy",
        f"Separate them with semicolons; .example.com stands for all below it. {_NEXT_START}",
        "; ".join(settings.texts(Key.PROXY_BYPASS)),
        locked=_locked(settings, Key.PROXY_BYPASS),
        placeholder=".example.com; localhost",
    )
    return mode, address, direct


def _look_rows(settings: Settings, text_size_percent: int) -> tuple[SettingRow, ...]:
    return (
        SettingRow(
            Key.THEME,
            "Theme",
            "How Parley looks.",
            settings.text(Key.THEME),
            (Choice("system", "As the system"), Choice("light", "Light"), Choice("dark", "Dark")),
            _locked(settings, Key.THEME),
        ),
        SettingRow(
            TEXT_SIZE,
            "Text size",
            _NEXT_START,
            text_size_percent,
            tuple(Choice(size, f"{size} %") for size in TEXT_SIZES_PERCENT),
        ),
        SettingRow(
            Key.LANGUAGE,
            "Language",
            "Parley speaks English in this version.",
            "en",
            (Choice("en", "English"),),
            _locked(settings, Key.LANGUAGE),
        ),
    )


def _writing_rows(settings: Settings) -> tuple[SettingRow, ...]:
    return (
        SettingRow(
            Key.ENTER_SENDS,
            "Enter sends",
            "Shift and Enter begin a new line. Otherwise Control and Enter send.",
            settings.flag(Key.ENTER_SENDS),
            (Choice(True, "Enter sends"), Choice(False, "Control and Enter send")),
            _locked(settings, Key.ENTER_SENDS),
        ),
        SettingRow(
            Key.UNDO_SEND_SECONDS,
            "Undo send",
            "How long a message can be taken back. Your firm may set less.",
            settings.number(Key.UNDO_SEND_SECONDS),
            tuple(Choice(seconds, _seconds(seconds)) for seconds in range(11)),
            _locked(settings, Key.UNDO_SEND_SECONDS),
        ),
    )


def _limit_rows(settings: Settings) -> tuple[SettingRow, ...]:
    return (
        _megabytes_row(
            settings,
            Key.LOCAL_CACHE_MEGABYTES,
            "Messages kept on this computer",
            "Beyond this the oldest go first. They stay in the archive and come back when you "
            "scroll to them.",
            (512, 1024, 2048, 4096, 8192, 16_384, 0),
            "No limit",
        ),
        _megabytes_row(
            settings,
            Key.ATTACHMENT_CACHE_MEGABYTES,
            "Files kept on this computer",
            "Opened files stay here encrypted, so that opening one again needs no download.",
            (0, 128, 512, 1024, 2048, 5120),
            "None",
        ),
    )


def _megabytes_row(
    settings: Settings,
    key: Key,
    title: str,
    description: str,
    offered: tuple[int, ...],
    words_of_0: str,
) -> SettingRow:
    """Return a line for a size; one that IT or somebody set by hand is offered, too."""
    value = settings.number(key)
    sizes = offered if value in offered else (value, *offered)
    choices = tuple(Choice(size, _megabytes(size) if size else words_of_0) for size in sizes)
    return SettingRow(key, title, description, value, choices, _locked(settings, key))


def _megabytes(size: int) -> str:
    return f"{size // 1024} GB" if size % 1024 == 0 else f"{size} MB"


def _locked(settings: Settings, key: str) -> str:
    return origin_words(settings.origin(key)) if settings.is_locked(key) else ""


def _seconds(seconds: int) -> str:
    if seconds == 0:
        return "Off"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
