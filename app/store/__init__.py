"""The encrypted local cache with the outbox and drafts file beside it.

It never talks to the network and hands out no database rows.
"""
