"""What prepared statements give back: names, types, and lists of any length.

It never looks at how a statement was made.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, bindparam, select, text

from backend.storage.bulk import Prepared, insert_rows
from backend.storage.database import Database
from backend.storage.tables import firms, properties

_NAMED = Prepared(
    select(properties.c.value)
    .where(
        properties.c.name.in_(bindparam("names", expanding=True)),
        properties.c.value != bindparam("other"),
        properties.c.name != "constant",
    )
    .order_by(properties.c.value),
    "names",
    "other",
)
_TYPED = Prepared(
    select(properties.c.name, (properties.c.value == bindparam("wanted")).label("is_wanted")),
    "wanted",
)


def test_lists_of_any_length_and_types_of_columns(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "backend.db", bytes(range(32)))
    try:

        def fill(connection: Connection) -> None:
            rows = [(f"name {n}", f"value {n}") for n in range(5)]
            insert_rows(connection, properties, ("name", "value"), rows)

        def look(connection: Connection) -> None:
            many = [f"name {n}" for n in range(100)]
            for names in ([], ["name 3"], ["name 1", "name 2"], many, ["name 3"]):
                wanted = [f"value {n}" for n in range(5) if f"name {n}" in names and n != 2]
                assert _NAMED.scalars(connection, names, "value 2") == wanted
            records = _TYPED.records(connection, "value 4")
            assert [one.name for one in records if one.is_wanted is True] == ["name 4"]
            assert {one.is_wanted for one in records} == {True, False}
            assert _NAMED.record(connection, ["nothing"], "") is None
            assert _NAMED.scalar(connection, ["name 0"], "") == "value 0"
            assert Prepared(text("SELECT :n"), "n").scalar(connection, None) is None
            assert Prepared(select(firms)).records(connection) == []

        database.write_now(fill)
        database.read_now(look)
    finally:
        database.close_now()
