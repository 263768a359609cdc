"""Owns the kinds of columns that the backend's tables are made of, with their one collection.

It never defines a table.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, MetaData, Text, false

metadata = MetaData()


def text(name: str, *, key: bool = False, default: str | None = None) -> Column[str]:
    """Make a text column that is never null."""
    return Column(name, Text, primary_key=key, nullable=False, server_default=default)


def maybe_text(name: str) -> Column[str | None]:
    """Make a text column that may be null."""
    return Column(name, Text, nullable=True)


def number(name: str, *, key: bool = False, default: int | None = None) -> Column[int]:
    """Make a 64-bit number that is never null; it never counts up by itself."""
    return Column(
        name,
        BigInteger,
        primary_key=key,
        nullable=False,
        autoincrement=False,
        server_default=None if default is None else str(default),
    )


def maybe_number(name: str) -> Column[int | None]:
    """Make a 64-bit number that may be null."""
    return Column(name, BigInteger, nullable=True)


def flag(name: str) -> Column[bool]:
    """Make a truth value, false unless told."""
    return Column(name, Boolean, nullable=False, server_default=false())


def blob(name: str) -> Column[bytes]:
    """Make a column of bytes that is never null."""
    return Column(name, LargeBinary, nullable=False)


def ref(name: str, target: str, *, key: bool = False) -> Column[str]:
    """Make a text column that points to another table."""
    return Column(name, Text, ForeignKey(target), primary_key=key, nullable=False)


def firm() -> Column[str]:
    """Make the column of the firm a row belongs to."""
    return ref("firm_id", "firms.firm_id")
