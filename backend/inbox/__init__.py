"""Conversations, messages and each employee's event stream, as projected from what was archived.

It never decides policy, never delivers, and never commits a transaction by itself.
"""
