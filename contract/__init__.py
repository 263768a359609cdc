"""What the desktop client and the governed backend agree on, as pure values and functions.

It never does I/O and never imports Qt, SQL or HTTP.
"""
