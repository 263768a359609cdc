"""Tests of keys and the instance lock, with a real keyring where there is a private one.

It never touches the user's own keyring.
"""
