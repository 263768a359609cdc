"""The sign-in state and the secrets kept in the system's keyring.

It never writes a secret to a log or a plain file.
"""
