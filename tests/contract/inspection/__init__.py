"""Tests of the inspection of files before they are sent.

They never use a file that is not made here.
"""
