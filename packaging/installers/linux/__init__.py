"""The packages for Linux: the bundle, a Debian package and a plain archive.

It does not build for another architecture than the machine's own.
"""
