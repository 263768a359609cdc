"""The windows, panes, pages and dialogs a user sees.

It never queries the store; presenters feed it.
"""
