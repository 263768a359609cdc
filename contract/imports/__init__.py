"""Reading of chats exported from consumer apps, shared by the client's preview and the backend.

It never opens a file by itself and never guesses who somebody is.
"""
