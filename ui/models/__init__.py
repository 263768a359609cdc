"""List models and presenters that turn change sets into rows for views.

It does no I/O and paints nothing.
"""
