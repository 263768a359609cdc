"""Row operations turn any list into any other, with as few moves as people make.

It needs no Qt.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.models.row_diff import Insert, Move, Operation, Remove, row_operations

_LISTS = st.lists(st.integers(0, 14), unique=True, max_size=12)


def carried_out(old: list[int], new: list[int], operations: list[Operation]) -> list[int]:
    """Do what the operations say, as a model would."""
    rows = list(old)
    for operation in operations:
        match operation:
            case Remove(first, last):
                assert 0 <= first <= last < len(rows)
                del rows[first : last + 1]
            case Insert(first, last):
                assert 0 <= first <= len(rows)
                rows[first:first] = new[first : last + 1]
            case Move(source, target):
                assert source != target
                rows.insert(target, rows.pop(source))
    return rows


@given(_LISTS, _LISTS)
def test_operations_turn_any_list_into_any_other(old: list[int], new: list[int]) -> None:
    assert carried_out(old, new, row_operations(old, new)) == new


@given(_LISTS)
def test_equal_lists_need_nothing(rows: list[int]) -> None:
    assert row_operations(rows, rows) == []


@given(st.lists(st.integers(), unique=True, min_size=2, max_size=12), st.data())
def test_one_row_that_went_elsewhere_is_one_move(rows: list[int], data: st.DataObject) -> None:
    source = data.draw(st.integers(0, len(rows) - 1))
    target = data.draw(st.integers(0, len(rows) - 1).filter(lambda place: place != source))
    new = list(rows)
    new.insert(target, new.pop(source))
    operations = row_operations(rows, new)
    assert len(operations) == 1
    assert isinstance(operations[0], Move)
