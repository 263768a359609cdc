"""Reading of exported chats: each format, many locales, and the identity of messages.

It never opens an export of a real person.
"""
