"""What a client asks of the archive's search, and the pages it is answered with.

It never travels in an address: a query is the body of a POST, so that none stands in a log.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from contract.ids import ContactId, ConversationId
from contract.values import Channel, Command, Message, Wire

MAX_QUERY_CHARS = 400
MAX_SEARCH_PAGE = 100
MAX_IDS = 200

_Id = Annotated[str, msgspec.Meta(max_length=200)]
_Ids = Annotated[tuple[_Id, ...], msgspec.Meta(max_length=MAX_IDS)]
_Time = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class SearchMessages(Command):
    """Words, phrases in quotation marks, and what the messages found must be; newest first.

    Filters of one kind widen each other, different kinds narrow. `contact_ids` are people who
    take part, `author_ids` and `author_name` who wrote; times bound [after, before). `cursor` is
    the `next_cursor` of the page before.
    """

    text: Annotated[str, msgspec.Meta(max_length=MAX_QUERY_CHARS)] = ""
    author_ids: _Ids = ()
    author_name: Annotated[str, msgspec.Meta(max_length=MAX_QUERY_CHARS)] = ""
    contact_ids: Annotated[tuple[ContactId, ...], msgspec.Meta(max_length=MAX_IDS)] = ()
    conversation_ids: Annotated[tuple[ConversationId, ...], msgspec.Meta(max_length=MAX_IDS)] = ()
    channels: Annotated[tuple[Channel, ...], msgspec.Meta(max_length=16)] = ()
    has_file: bool = False
    after_utc_ms: _Time | None = None
    before_utc_ms: _Time | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=200)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_SEARCH_PAGE)] = 50


class SearchPage(Wire):
    """Messages found, newest first; `next_cursor` is empty on the last page.

    A page may hold fewer than asked, even none, and still have a next one: a search is given a
    bounded share of the backend's time. `indexing` tells that older messages can't be found yet.
    """

    messages: tuple[Message, ...] = ()
    next_cursor: str = ""
    indexing: bool = False
