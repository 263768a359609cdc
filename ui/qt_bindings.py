"""Spares the start what Qt's bindings do for features that Parley does not use.

It never changes how an object of Qt behaves.
"""

from __future__ import annotations

import sys


def spare_source_reading() -> None:
    """Import the bindings and keep them from reading the source of each module imported later.

    They look there for the word PySide6, to know where `from __feature__ import …` may hold, and
    keep all those sources in memory. Parley never switches a feature on. A version of the bindings
    that does this otherwise is left alone.
    """
    import PySide6.QtCore  # noqa: F401 -- imported for what it installs

    feature = sys.modules.get("shibokensupport.feature")
    if feature is not None and hasattr(feature, "_mod_uses_pyside"):
        vars(feature)["_mod_uses_pyside"] = lambda module: True
