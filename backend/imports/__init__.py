"""The import of chats that consumer apps exported: staged, previewed, confirmed, recorded.

It never records anything of a chat in which nobody is a client.
"""
