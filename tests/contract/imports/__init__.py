"""Reading of exported chats: each format, many locales, and the identity of messages."""
