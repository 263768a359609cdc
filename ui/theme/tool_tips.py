"""Owns the form in which words of any origin may become a tool tip.

It never lets them be read as markup: Qt takes for rich text whatever looks like it, and then a
client's name could load a file, or dress up as Parley's own words.
"""

from __future__ import annotations


def plain_tip(text: str) -> str:
    """Return `text` so that a tool tip shows exactly it; without a tag it stays as it is."""
    if "<" not in text:
        return text
    return f"<qt>{_escaped(text)}</qt>".replace("\n", "<br>")


def _escaped(text: str) -> str:
    # What html.escape does, without importing the names of two thousand characters at start.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
