"""Owns what can be told of a file's content before it is sent, the same on both sides.

It never opens a path, runs what it reads, asks a network or reads a clock.

Callers use `inspect_file(name, content) -> FileInspection` (inspect.py), `is_costly(content)`
(signatures.py) and `policy_attachment(...)` (facts.py); values are in model.py.
"""
