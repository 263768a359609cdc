"""Tests of what IT installs: packages, managed settings, papers.

They never install anything on the machine itself.
"""
