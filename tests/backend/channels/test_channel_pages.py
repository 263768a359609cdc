"""Every channel that comes with Parley has its page, and the page names every setting.

It never judges what a page says beyond that.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from backend.channels.modules import BUILT_IN, load_module
from backend.cli.arguments import parser
from tests.support.surroundings import ROOT

PAGES = ROOT / "docs" / "channels"
# Where a page is not called after its module.
_PAGE_OF = {"sms_http": "sms-http", "smpp": "sms-smpp"}


def _page(module: str) -> Path:
    return PAGES / f"{_PAGE_OF.get(module, module)}.md"


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_channel_has_a_page_that_names_its_settings(name: str) -> None:
    text = _page(name).read_text(encoding="utf-8")
    module = load_module(name)
    assert f"`{name}`" in text, f"{_page(name).name} does not name its module"
    missing = [field.name for field in module.fields if f"`{field.name}`" not in text]
    assert not missing, f"{_page(name).name} does not tell of {missing}"
    if module.switched_off:
        # The page quotes it, over several lines.
        assert module.switched_off in " ".join(text.replace("\n> ", " ").split())


def test_every_page_is_linked_from_the_first_one() -> None:
    first = (PAGES / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in PAGES.glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in first} == set()


def test_every_command_on_a_page_is_one_the_backend_knows() -> None:
    found = 0
    for page in sorted(PAGES.glob("*.md")):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                words = shlex.split(line)
                if words and words[0] == "parley-backend":
                    parser().parse_args(words[1:])  # ends the process where it is wrong
                    found += 1
    assert found > 10
