"""Tests of proofs, notes, checkpoints, receipts and tiles.

They never open a socket.
"""
