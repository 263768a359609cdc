"""Turns a draft and local facts into policy findings for the composer.

It never refuses a message; only the backend decides.
"""
