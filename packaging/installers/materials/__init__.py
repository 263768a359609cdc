"""The papers of a release: bill of materials, third-party notices, checksums.

It changes no package, and vouches for nothing that it has not found in one.
"""
