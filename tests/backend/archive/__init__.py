"""Tests of what surrounds the log: copies, export, retention, holds and erasure.

They never fake a part of ours: partner archives are real servers on loopback.
"""
