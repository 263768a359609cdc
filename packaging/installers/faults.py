"""What stops a build, in words that say what to do.

It does not hold bugs: those keep their own exceptions and tracebacks.
"""

from __future__ import annotations


class BuildFault(Exception):
    """A build can't go on; the message is a plain sentence for whoever builds."""
