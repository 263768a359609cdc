"""Owns the definition of the full-text index over all messages; its text is not kept in it.

It never runs a query. The index is SQLite's own (FTS5), beside the tables of tables.py.
"""

from __future__ import annotations

SEARCH_TABLES = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS message_search USING fts5(body, content='',"
    " contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='1 2 3 4 5')",
)
