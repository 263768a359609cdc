"""The desktop client's core, from encrypted store to durable outbox.

It never imports a window toolkit or the backend.
"""
