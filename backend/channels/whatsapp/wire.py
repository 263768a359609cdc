"""The JSON of WhatsApp's Cloud API as far as Parley reads it: webhooks, answers, errors.

It never refuses a field it does not know.

Shapes: Meta's Cloud API v23.0, webhook components and error codes.
"""

from __future__ import annotations

import msgspec


class Profile(msgspec.Struct):
    """What a client shows as a name."""

    name: str = ""


class Contact(msgspec.Struct):
    """Who a webhook is about; `user_id` is business-scoped, the number may be absent."""

    profile: Profile = msgspec.field(default_factory=Profile)
    wa_id: str = ""
    user_id: str = ""


class Text(msgspec.Struct):
    """A plain text."""

    body: str = ""


class Media(msgspec.Struct):
    """A file at the vendor, by id."""

    id: str = ""
    mime_type: str = ""
    caption: str = ""
    filename: str = ""


class Emoji(msgspec.Struct):
    """A reaction; no emoji takes it back."""

    message_id: str = ""
    emoji: str = ""


class Metadata(msgspec.Struct):
    """Which of the firm's numbers a webhook is about."""

    display_phone_number: str = ""
    phone_number_id: str = ""


class Context(msgspec.Struct):
    """The message that is answered."""

    id: str = ""


class Place(msgspec.Struct):
    """A location."""

    latitude: float = 0.0
    longitude: float = 0.0
    name: str = ""
    address: str = ""


class PersonName(msgspec.Struct):
    """A shared contact's name."""

    formatted_name: str = ""


class Phone(msgspec.Struct):
    """A shared contact's number."""

    phone: str = ""


class SharedContact(msgspec.Struct):
    """A contact card."""

    name: PersonName = msgspec.field(default_factory=PersonName)
    phones: list[Phone] = []


class Button(msgspec.Struct):
    """A pressed button of a template."""

    text: str = ""


class Choice(msgspec.Struct):
    """A chosen answer."""

    title: str = ""


class Interactive(msgspec.Struct):
    """An answer to buttons or a list."""

    type: str = ""
    button_reply: Choice | None = None
    list_reply: Choice | None = None


class System(msgspec.Struct):
    """A notice of the app, such as a changed number."""

    type: str = ""
    wa_id: str = ""
    user_id: str = ""
    body: str = ""


class Error(msgspec.Struct):
    """An error of the vendor."""

    code: int = 0
    title: str = ""


class Revoke(msgspec.Struct):
    """A message taken back."""

    original_message_id: str = ""


class EditedMessage(msgspec.Struct):
    """What a changed message says now."""

    type: str = ""
    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None


class Edit(msgspec.Struct):
    """A message changed: the whole of it as it is now."""

    original_message_id: str = ""
    message: EditedMessage | None = None


class Message(msgspec.Struct):
    """One message, inbound or an echo of the consumer app."""

    id: str
    timestamp: str
    type: str = ""
    sender: str = msgspec.field(default="", name="from")
    from_user_id: str = ""
    to: str = ""
    to_user_id: str = ""
    group_id: str = ""
    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Place | None = None
    contacts: list[SharedContact] = []
    button: Button | None = None
    interactive: Interactive | None = None
    reaction: Emoji | None = None
    system: System | None = None
    revoke: Revoke | None = None
    edit: Edit | None = None
    context: Context | None = None
    errors: list[Error] = []


class Status(msgspec.Struct):
    """What became of a message of ours; in a group `recipient_id` is the group's."""

    id: str
    status: str
    timestamp: str
    recipient_id: str = ""
    recipient_type: str = ""
    recipient_user_id: str = ""
    biz_opaque_callback_data: str = ""
    errors: list[Error] = []


class Preference(msgspec.Struct):
    """What a client wants, or no longer wants, to be sent."""

    wa_id: str = ""
    user_id: str = ""
    category: str = ""
    value: str = ""
    timestamp: int = 0


class Thread(msgspec.Struct):
    """A chat of the phone's history; `id` is the client's number."""

    id: str = ""
    messages: list[Message] = []


class History(msgspec.Struct):
    """A piece of the phone's history."""

    threads: list[Thread] = []


class GroupSubject(msgspec.Struct):
    """What a group is called, and whether it could be called so."""

    text: str = ""
    update_successful: bool = True


class Group(msgspec.Struct):
    """What happened to a group; a new one tells its subject, a changed one in `group_subject`."""

    group_id: str = ""
    type: str = ""
    timestamp: str = ""
    subject: str = ""
    group_subject: GroupSubject | None = None


class Value(msgspec.Struct):
    """What a change holds."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    contacts: list[Contact] = []
    messages: list[Message] = []
    message_echoes: list[Message] = []
    statuses: list[Status] = []
    user_preferences: list[Preference] = []
    history: list[History] = []
    groups: list[Group] = []


class About(msgspec.Struct):
    """Which number a change is about, whatever else it holds."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)


class Change(msgspec.Struct):
    """One change of a field."""

    field: str = ""
    value: msgspec.Raw = msgspec.Raw(b"{}")


class Entry(msgspec.Struct):
    """The changes of one business account."""

    id: str = ""
    changes: list[Change] = []


class Webhook(msgspec.Struct):
    """A whole webhook."""

    object: str = ""
    entry: list[Entry] = []


class Sent(msgspec.Struct):
    """The id of a message that was taken."""

    id: str


class SendAnswer(msgspec.Struct):
    """The answer to a message that was taken."""

    messages: list[Sent]


class MediaAnswer(msgspec.Struct):
    """The answer to an upload, or where a file can be fetched (for five minutes)."""

    id: str = ""
    url: str = ""


class FailureDetail(msgspec.Struct):
    """What the vendor says went wrong."""

    code: int = 0
    error_subcode: int = 0
    message: str = ""


class Failure(msgspec.Struct):
    """The answer to a request that was not taken."""

    error: FailureDetail
