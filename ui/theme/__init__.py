"""The look: tokens turned into palette, style sheet, icons and fonts.

It knows nothing about messages or conversations.
"""
