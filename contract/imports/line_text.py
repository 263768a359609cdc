"""Reads LINE's exported chat text, of phones and of the desktop program.

It never takes a clock time in the middle of a text for a new message.

Format: as seen in exports; no document of the vendor describes it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from typing import IO

import msgspec

from contract.imports.day_halves import hour_of
from contract.imports.model import (
    ImportedChat,
    ImportedKind,
    ImportedMessage,
    ImportRefused,
    Source,
    participants_of,
)

MOST_BYTES = 256 * 1024 * 1024
_MOST_LINES = 2_000_000
_FIRST_YEAR, _LAST_YEAR = 2011, 2100  # LINE began in 2011
_BREAK = re.compile("\r\n|\n|\r")  # other signs that end a line may stand within a text
_TITLE = re.compile(
    "(?:\\[LINE\\] ?)?(?:Chat history (?:with|in) (?P<en>.+)|(?P<ja>.+?)とのトーク履歴"
    "|(?P<ja_group>.+?)のトーク履歴|與(?P<tw>.+?)的聊天記錄|与(?P<cn>.+?)的聊天记录"
    "|(?P<ko>.+?)(?:님과의|의) 대화(?: 기록)?|ประวัติการแชทกับ ?(?P<th>.+))\\s*$"
)
_DAY = re.compile(
    "(?:[^\\d\t]{2,14},? )?"
    "(?:(?P<y>\\d{4})[./\\-年]\\s?(?P<m>\\d{1,2})[./\\-月]\\s?(?P<d>\\d{1,2})日?"
    "|(?P<m2>\\d{1,2})/(?P<d2>\\d{1,2})/(?P<y2>\\d{4}))"
    "(?:\\s?[(（]\\w{1,9}[)）]| ?\\w{1,9})?\\s*$"
)
_LINE = re.compile(
    "(?P<before>[^\\d\t]{0,6}?)\\s?(?P<hour>\\d{1,2}):(?P<minute>\\d{2})\\s?(?P<after>[AaPp][Mm])?"
    "\t(?P<sender>[^\t]*)(?:\t(?P<text>.*))?$",
    re.DOTALL,
)
_FILE_WORDS = frozenset(
    f"[{words}]"
    for words in (
        "写真", "動画", "ボイスメッセージ", "ファイル", "アルバム", "Photo", "Photos", "Video",
        "Voice message", "File", "Album", "照片", "影片", "視頻", "语音", "語音訊息", "檔案",
        "文件", "사진", "동영상", "파일", "รูป", "วิดีโอ",
    )
)  # fmt: skip


def read_line(file: IO[bytes], zone: tzinfo) -> ImportedChat:
    """Return the chat of an exported text with its times read in `zone`; raises ImportRefused."""
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ImportRefused("This export is larger than 256 MB: it is no chat of LINE.")
    if content.count(b"\n") + content.count(b"\r") > 2 * _MOST_LINES:
        raise ImportRefused("This export has more than two million lines: it is no chat of LINE.")
    try:
        lines = _BREAK.split(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ImportRefused("The text is not in UTF-8, as LINE writes it.") from error
    title = _title(lines)
    messages, unclosed = _messages(lines, zone)
    if title is None or not messages:
        raise ImportRefused(
            "No messages of a LINE export were found in this file. In LINE choose the chat's "
            "settings, “Export chat history”, and take the .txt it makes."
        )
    people = participants_of(messages)
    missing = sum(message.missing_files for message in messages)
    return ImportedChat(
        source=Source.LINE_TEXT,
        key=title,
        title=title,
        messages=messages,
        participants=people,
        is_group=len(people) > 2,
        notes=_notes(missing, unclosed),
    )


def is_line_title(line: str) -> bool:
    """Tell whether a first line is one of LINE's."""
    return _TITLE.match(line.strip()) is not None


def _title(lines: list[str]) -> str | None:
    found = _TITLE.match(lines[0]) if lines else None
    if found is None:
        return None
    return next(name for name in found.groups() if name)


def _notes(missing: int, unclosed: int) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(f"{missing} files are not in a LINE export; only their place is.")
    if unclosed:
        notes.append(
            f"{unclosed} texts begin with a quotation mark that no line closes before the next "
            "message: lines of such a text may look like messages of their own. Compare them with "
            "the phone."
        )
    return tuple(notes)


def _messages(lines: list[str], zone: tzinfo) -> tuple[tuple[ImportedMessage, ...], int]:
    """Return the messages, and how many texts begin with a quote that nothing closes."""
    found: list[ImportedMessage] = []
    more: list[str] = []
    unclosed = 0
    day: date | None = None
    number = 1
    while number < len(lines):
        line = lines[number]
        number += 1
        if (new_day := _day(line)) is not None:
            day = new_day
            continue
        begun = _LINE.match(line) if day is not None else None
        if begun is None or day is None:
            if found and line:
                more.append(line)
            continue
        text = begun["text"] or ""
        if text.startswith('"'):
            whole, end = _quoted(text, lines, number)
            unclosed += end == number and not text.endswith('"', 1)
            text, number = whole, end
        message = _message(begun, text, day, zone)
        if message is not None:
            _go_on(found, more)
            found.append(message)
        elif found:
            more.append(line)
    _go_on(found, more)
    return tuple(found), unclosed


def _quoted(text: str, lines: list[str], number: int) -> tuple[str, int]:
    """Return a text of several lines without its quotes, and the number of the line after it."""
    for end in range(number, len(lines)):
        if _DAY.match(lines[end]) or _LINE.match(lines[end]):
            break
        if lines[end].endswith('"'):
            whole = "\n".join((text, *lines[number : end + 1]))
            return whole[1:-1].replace('""', '"'), end + 1
    return text, number  # a quote the person typed


def _day(line: str) -> date | None:
    found = _DAY.match(line)
    if found is None:
        return None
    parts = (found["y"] or found["y2"], found["m"] or found["m2"], found["d"] or found["d2"])
    try:
        told = date(*(int(part) for part in parts))
    except ValueError:
        return None
    return told if _FIRST_YEAR <= told.year <= _LAST_YEAR else None


def _message(begun: re.Match[str], text: str, day: date, zone: tzinfo) -> ImportedMessage | None:
    half = (begun["before"] or begun["after"] or "").strip().casefold()
    hour, minute = hour_of(int(begun["hour"]), half), int(begun["minute"])
    if hour is None or minute > 59:
        return None
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    sender = begun["sender"].strip()
    by_app = not sender or begun["text"] is None
    is_file = text.strip() in _FILE_WORDS
    return ImportedMessage(
        at_utc_ms=round(local.astimezone(UTC).timestamp() * 1000),
        sender="" if by_app else sender,
        text=(text or sender) if by_app else "" if is_file else text,
        kind=ImportedKind.SYSTEM if by_app else ImportedKind.MESSAGE,
        missing_files=int(is_file),
        local_stamp=local.replace(tzinfo=None).isoformat(),
    )


def _go_on(found: list[ImportedMessage], more: list[str]) -> None:
    """Add the lines that follow the last message to its text, all at once."""
    if more:
        text = "\n".join((found[-1].text, *more))
        found[-1] = msgspec.structs.replace(found[-1], text=text)
        more.clear()
