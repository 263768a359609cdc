"""The installers: from the source tree to what IT installs, for Windows, macOS and Linux.

It is never part of what it builds, and never imported by a room of Parley.
"""
