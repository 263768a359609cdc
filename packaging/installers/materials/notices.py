"""Writes THIRD-PARTY-NOTICES.txt: each component that ships with its licence and its text.

It writes equal texts once and leaves none out.
"""

from __future__ import annotations

from collections.abc import Sequence

from installers.faults import BuildFault
from installers.materials.declared import licence_text
from installers.materials.inventory import Item

FILE_NAME = "THIRD-PARTY-NOTICES.txt"
_RULE = "=" * 100
_LINE = "-" * 100
# What a licence of a component that has no text of its own is explained by.
_COMMON = {
    "MIT": "MIT.txt",
    "Apache-2.0": "Apache-2.0.txt",
    "BSD-3-Clause": "BSD-3-Clause.txt",
    "Unicode-3.0": "icu.txt",
}

_HEAD = """\
Third-party notices of Parley {version}

Parley contains the work of others, listed below with the licence of each; the texts follow, each
once, under the number that stands beside the component. Parley ships no component under the GNU
General Public License or the GNU Affero General Public License without an exception that permits
it; what is under the GNU Lesser General Public License lies beside the program in files of its own
and can be replaced, as its text describes.

Systems: {systems}
"""


def notices(items: Sequence[Item], version: str) -> str:
    """Return the whole document for `items`; raises BuildFault where a text is missing."""
    systems = sorted({name for item in items for name in item.systems})
    numbers: dict[str, int] = {}
    rows: list[str] = []
    for item in items:
        own = _texts(item)
        marks = [numbers.setdefault(text, len(numbers) + 1) for text in own]
        rows.append(_row(item, marks, items))
    head = _HEAD.format(version=version, systems=", ".join(systems))
    texts = [f"{_RULE}\n[{number}]\n{_LINE}\n\n{text}\n" for text, number in numbers.items()]
    return "\n".join([head, *rows, "", *texts]).rstrip("\n") + "\n"


def _texts(item: Item) -> list[str]:
    """Return an item's texts; a part inside another is covered by a common one."""
    if item.texts:
        return list(item.texts)
    found = [licence_text(name) for one, name in _COMMON.items() if one in _words(item.licence)]
    if not found:
        raise BuildFault(
            f"{item.name} ({item.licence}) has no licence text: lay one into packaging/licences "
            "and name it in components.toml."
        )
    return found


def _words(expression: str) -> list[str]:
    return expression.replace("(", " ").replace(")", " ").split()


def _row(item: Item, marks: Sequence[int], items: Sequence[Item]) -> str:
    version = f" {item.version}" if item.version else ""
    holder = next((one for one in items if one.key == item.inside), None)
    inside = f", inside {holder.name}" if holder else ""
    lines = [f"{item.name}{version}{inside}", f"    licence: {item.licence}"]
    if item.holder:
        lines.append(f"    holder: {item.holder}")
    if item.home:
        lines.append(f"    see: {item.home}")
    lines.append(f"    on: {', '.join(sorted(item.systems))}")
    if marks:
        lines.append(f"    text: {' '.join(f'[{number}]' for number in marks)}")
    return "\n".join(lines)
