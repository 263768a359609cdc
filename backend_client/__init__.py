"""The typed async client of the governed API.

It never stores anything and decides nothing about messages.
"""
