"""The JSON of WeChat's and WeCom's answers as far as Parley reads it.

It never refuses a field it does not know.

Shapes: WeChat's "Official Accounts" and WeCom's "WeChat Customer Service" documents.
"""

from __future__ import annotations

import msgspec


class Answer(msgspec.Struct):
    """Any answer's frame; no code means that all is well."""

    errcode: int = 0


class Token(msgspec.Struct):
    """A granted access token; it holds for `expires_in` seconds."""

    access_token: str
    expires_in: int = 7200


class Uploaded(msgspec.Struct):
    """A file as kept for three days."""

    media_id: str = ""


class SentTemplate(msgspec.Struct):
    """A template as taken; its end is told later by this id."""

    msgid: int = 0


class Film(msgspec.Struct):
    """Where a film can be fetched."""

    video_url: str = ""
