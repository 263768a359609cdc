"""Owns finding identifiers that only a draft and the message it answers hold together.

It never reports a number that stands whole in either of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan
from contract.policy.scanned_text import Identifier

QUOTE_REACH_CHARS = 160
"""How much of the quote's end, or beginning, is laid beside the draft."""


def find_across_quote(
    kind: IdentifierKind, text: str, quoted_text: str, *, regions: Sequence[str] = ()
) -> list[Identifier]:
    """Return identifiers of which one part stands in the draft and the rest in the quoted text.

    Spans count code points of the draft's own `text`. The quote is read both before the draft,
    as it is shown, and after it.
    """
    if not quoted_text.strip() or not text.strip():
        return []
    before = quoted_text[-QUOTE_REACH_CHARS:].rstrip() + " "
    after = " " + quoted_text[:QUOTE_REACH_CHARS].lstrip()
    found: list[Identifier] = []
    for shift, joined in ((len(before), before + text), (0, text + after)):
        scan = IdentifierScan(joined, regions=regions)
        low, high = shift, shift + len(text)
        for one in scan.find(kind):
            start, end = scan.normalised.span(one.start, one.end)
            crosses = start < low < end or start < high < end
            if one.certain and crosses:
                span = (max(start, low) - shift, min(end, high) - shift)
                found.append(one._replace(start=span[0], end=span[1]))
    return sorted(set(found))
