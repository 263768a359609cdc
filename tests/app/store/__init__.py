"""Tests of the encrypted store on real SQLCipher files.

It never replaces a part of the store.
"""
