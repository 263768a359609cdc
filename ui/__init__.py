"""The desktop window, built with Qt Widgets.

It never reaches the network or the database itself; it asks the core.
"""
