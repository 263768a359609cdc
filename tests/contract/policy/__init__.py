"""Tests of pre-send policy.

They never evaluate with anything but the real evaluator and real bundle bytes.
"""
