"""Proofs that sends are durable and taken once.

They never start the backend itself.
"""
