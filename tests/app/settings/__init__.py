"""Tests of the effective settings.

They never read this machine's own policies.
"""
