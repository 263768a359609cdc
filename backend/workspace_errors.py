"""The error of a workspace, or of a part of it, that can't be opened.

It never opens anything: commands that need no workspace raise it, too.
"""

from __future__ import annotations


class WorkspaceError(Exception):
    """The workspace can't be opened; the text is a plain sentence that says what to do."""
