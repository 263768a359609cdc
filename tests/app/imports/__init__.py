"""Proofs that exports are read on this computer and reach the backend whole.

They never use a network beyond loopback.
"""
