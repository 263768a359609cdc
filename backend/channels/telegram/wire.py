"""The JSON of Telegram's Bot API as far as Parley reads it: updates, answers, errors.

It never refuses a field it does not know.

Shapes: Bot API 10.1, https://core.telegram.org/bots/api
"""

from __future__ import annotations

import msgspec


class User(msgspec.Struct):
    """A person or a bot."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""

    @property
    def name(self) -> str:
        """Return the name as Telegram shows it."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.username


class Chat(msgspec.Struct):
    """A chat of two or a group."""

    id: int
    type: str = "private"
    title: str = ""


class File(msgspec.Struct):
    """A file at Telegram."""

    file_id: str
    file_unique_id: str = ""
    file_name: str = ""
    mime_type: str = ""
    file_size: int = 0


class Entity(msgspec.Struct):
    """A part of a text; offsets count UTF-16 units."""

    type: str
    offset: int = 0
    length: int = 0
    url: str = ""


class Sticker(msgspec.Struct):
    """A sticker; its emoji stands for it."""

    file_id: str = ""
    emoji: str = ""


class Location(msgspec.Struct):
    """A place on the map."""

    latitude: float = 0.0
    longitude: float = 0.0


class Venue(msgspec.Struct):
    """A named place."""

    title: str = ""
    address: str = ""


class SharedContact(msgspec.Struct):
    """A contact card."""

    phone_number: str = ""
    first_name: str = ""
    last_name: str = ""


class ReplyTo(msgspec.Struct):
    """The message that is answered."""

    message_id: int


class Message(msgspec.Struct):
    """One message."""

    message_id: int
    chat: Chat
    date: int = 0
    edit_date: int = 0
    sender: User | None = msgspec.field(default=None, name="from")
    sender_business_bot: User | None = None
    business_connection_id: str = ""
    reply_to_message: ReplyTo | None = None
    text: str = ""
    caption: str = ""
    entities: list[Entity] = []
    caption_entities: list[Entity] = []
    photo: list[File] = []
    document: File | None = None
    video: File | None = None
    animation: File | None = None
    audio: File | None = None
    voice: File | None = None
    video_note: File | None = None
    sticker: Sticker | None = None
    location: Location | None = None
    venue: Venue | None = None
    contact: SharedContact | None = None
    migrate_to_chat_id: int = 0
    migrate_from_chat_id: int = 0
    new_chat_members: list[User] = []
    left_chat_member: User | None = None
    new_chat_title: str = ""
    group_chat_created: bool = False
    supergroup_chat_created: bool = False
    new_chat_photo: list[File] = []
    delete_chat_photo: bool = False
    pinned_message: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def is_notice(self) -> bool:
        """Tell whether the chat itself changed: nobody wrote anything."""
        return (
            bool(self.new_chat_members or self.new_chat_title or self.new_chat_photo)
            or self.left_chat_member is not None
            or self.pinned_message is not msgspec.UNSET
            or self.group_chat_created
            or self.supergroup_chat_created
            or self.delete_chat_photo
        )


class Rights(msgspec.Struct):
    """What a business connection lets us do."""

    can_reply: bool = False
    can_read_messages: bool = False


class BusinessConnection(msgspec.Struct):
    """An employee's own account that lets the bot write in its name."""

    id: str
    user: User
    user_chat_id: int = 0
    date: int = 0
    is_enabled: bool = False
    rights: Rights | None = None


class DeletedMessages(msgspec.Struct):
    """Messages taken back in a business chat."""

    business_connection_id: str
    chat: Chat
    message_ids: list[int] = []


class ReactionType(msgspec.Struct):
    """An emoji, or something else."""

    type: str = ""
    emoji: str = ""


class MessageReaction(msgspec.Struct):
    """A person's reactions to a message, new ones and those before."""

    chat: Chat
    message_id: int
    date: int = 0
    user: User | None = None
    new_reaction: list[ReactionType] = []


class Member(msgspec.Struct):
    """A membership's state."""

    status: str = ""


class MemberUpdate(msgspec.Struct):
    """The bot was let in, blocked or put out."""

    chat: Chat
    sender: User | None = msgspec.field(default=None, name="from")
    date: int = 0
    new_chat_member: Member = msgspec.field(default_factory=Member)


class Update(msgspec.Struct):
    """One update; exactly one of its parts is set."""

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None
    business_connection: BusinessConnection | None = None
    business_message: Message | None = None
    edited_business_message: Message | None = None
    deleted_business_messages: DeletedMessages | None = None
    message_reaction: MessageReaction | None = None
    my_chat_member: MemberUpdate | None = None


class Numbered(msgspec.Struct):
    """An update's number alone."""

    update_id: int


class Updates(msgspec.Struct):
    """The answer to getUpdates; each update byte for byte."""

    ok: bool
    result: list[msgspec.Raw] = []


class Sent(msgspec.Struct):
    """A message as sent."""

    message_id: int


class Answer(msgspec.Struct):
    """Any answer's frame."""

    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")


class Parameters(msgspec.Struct):
    """What an error adds."""

    retry_after: int = 0
    migrate_to_chat_id: int = 0


class Failure(msgspec.Struct):
    """The answer to a request that was not taken."""

    error_code: int = 0
    description: str = ""
    parameters: Parameters = msgspec.field(default_factory=Parameters)


class FilePlace(msgspec.Struct):
    """Where a file can be fetched for an hour."""

    file_path: str = ""


class Me(msgspec.Struct):
    """The bot itself."""

    id: int = 0
    username: str = ""
    can_connect_to_business: bool = False


class WebhookInfo(msgspec.Struct):
    """Where Telegram sends updates."""

    url: str = ""
    pending_update_count: int = 0
    last_error_message: str = ""
