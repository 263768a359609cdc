"""Looks for inputs that crash policy or make it slower than linear; `make fuzz` runs it.

It is no part of the test suite: how long it looks is for the caller to say.
"""
