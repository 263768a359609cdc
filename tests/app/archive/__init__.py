"""Tests of what the client verifies of the archive, and of the alarm when that does not hold.

They never skip the wire: a small service with a real log of its own stands behind it.
"""
