"""Proofs that the cache follows the backend.

They never start the backend itself.
"""
