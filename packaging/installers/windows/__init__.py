"""Everything for Windows, built on Debian: Python, the bundle, its signatures, the packages.

It never needs a Windows machine; what was not tried on one is said in the administrators' guide.
"""
