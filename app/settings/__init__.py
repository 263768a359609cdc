"""The effective settings: managed policy over installer defaults over the user's own.

It never writes a managed setting.
"""
