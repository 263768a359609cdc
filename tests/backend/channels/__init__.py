"""Proofs of the connectors and the contract they share.

It never reaches a network beyond loopback.
"""
