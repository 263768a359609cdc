"""Owns the table of letters and signs that look like others and are folded to one of them.

It does not hold what Unicode's own compatibility folding (NFKC) covers already.

Chosen by hand after Unicode Technical Standard 39 for letters that pass for Latin in common
fonts; keys are lower case, because folding of case comes first.
"""

from __future__ import annotations

_PAIRS = (
    # Cyrillic
    ("авекмнорстухѕіїјԁһԛԝӏёѵ", "abekmhopctyxsiijdhqwlev"),
    # Greek
    ("αβγεζηικμνορτυχ", "abyeznikmvoptux"),
    # Armenian
    ("օհսոցզ", "ohungq"),
    # Cherokee
    ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "abcdeghjklmprstvwz"),
    # Lisu
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdefghijklmnoprstuvwxyz"),
    # Latin letters and small capitals
    ("ıɡɑɩʟɪɴʀʙɢʜᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱ", "igailinrbghacdejkmoptuvwzs"),
    # Quotes and dashes
    ("‘’‚‛ʼ′`´", "''''''''"),
    ("“”„‟«»″", '"""""""'),
    ("−⁃˗", "---"),
)

_CAPITALS = ("ΗΝΥ", "HNY")  # their small letters look like others

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_ENCLOSED_STARTS = (0x1F150, 0x1F170)  # negative circled, negative squared


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for alike, plain in _PAIRS:
        table.update(zip(alike, plain, strict=True))
    for first in _ENCLOSED_STARTS:
        table.update((chr(first + place), letter) for place, letter in enumerate(_ALPHABET))
    return table


LOOKALIKES: dict[str, str] = _table()


CAPITAL_LOOKALIKES: dict[int, str] = dict(zip(map(ord, _CAPITALS[0]), _CAPITALS[1], strict=True))
"""Capitals that look like other letters than their small ones do, to what they look like."""
