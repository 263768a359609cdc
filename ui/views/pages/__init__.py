"""The pages beside the inbox: people, diagnostics, settings.

They never reach the core; each says what the user asked for.
"""
