"""Managed settings for administrators: one schema, written as each system's own templates.

It never decides a value for a firm, and the app never imports it.
"""
