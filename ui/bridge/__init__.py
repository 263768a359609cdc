"""The one hop between the asynchronous core and Qt's signals.

It never decides anything and holds no state of the domain.
"""
