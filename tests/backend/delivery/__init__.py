"""Proofs of the delivery worker and of the pump that brings events in.

It never replaces a part of Parley by a fake.
"""
