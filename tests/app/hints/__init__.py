"""Tests of the composer's hints.

They never replace the evaluator or the bundle.
"""
