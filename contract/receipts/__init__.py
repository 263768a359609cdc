"""Canonical bytes and hashes that make an archive entry checkable by its sender.

It does no I/O and trusts no reply: the client builds each leaf from what it sent.
"""
