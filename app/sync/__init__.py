"""Applies the backend's events to the store, each batch with its cursor in one transaction.

It never sends a message and never touches a view.
"""
