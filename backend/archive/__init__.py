"""The table of archive entries that only grows.

It never changes or deletes an entry it has written.
"""
