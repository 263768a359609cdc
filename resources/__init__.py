"""Icons, fonts, translations and the sample workspace shipped with Parley.

It holds data and runs nothing.
"""
