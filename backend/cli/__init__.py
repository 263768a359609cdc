"""The command line's groups of commands: serving, archive, administration, documents.

It never holds a rule of the business.
"""
