"""Measures and paints the rows of the inbox and the bubbles of the timeline.

It never changes a model and never does I/O.
"""
