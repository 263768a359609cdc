"""The proof that Parley does what it says, mirroring its rooms.

It never reaches a network beyond loopback.
"""
