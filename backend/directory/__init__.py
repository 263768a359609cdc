"""Employees, contacts, consent, walls and channel accounts.

It never sends a message and archives nothing.
"""
