"""A process that starts the real program and tells what was imported when its rows were painted.

It never goes on after that: the first painted frame ends it. Its argument is the data folder.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.first_frame import FirstFrame
    from app.session.keys import DataFolder, MasterKey

SECRET = b"k" * 32
_PATIENCE_S = 60.0


def tell(name: str) -> None:
    """Say one mark; with the painted rows also every module that is there, and end."""
    if name == "window":  # the rows are painted next, however busy the machine is
        vars(sys.modules["ui.window_life"])["_PAINTED_WITHIN_S"] = _PATIENCE_S
    painted = name == "first_paint"
    line = {"mark": name, "modules": sorted(sys.modules) if painted else []}
    os.write(1, json.dumps(line).encode() + b"\n")
    if painted:
        os._exit(0)


def main(folder: str) -> int:
    """Run the program as `python -m ui` does, but for where its key comes from."""
    import app.core
    import ui.early_start
    import ui.start_marks
    from app.session.keys import KeyVault, MasterKey

    class KnownKey(KeyVault):
        """Gives one key, where there is no keyring."""

        def load_or_create(self, paths: DataFolder) -> MasterKey:
            return MasterKey(SECRET)

    # The one thing a test may lack is a keyring.
    vars(app.core)["KeyVault"] = KnownKey

    class PatientStart(ui.early_start.EarlyStart):
        """Waits for the frame as long as a busy machine takes."""

        def frame(self, within_s: float) -> FirstFrame | None:
            return super().frame(max(within_s, _PATIENCE_S))

    vars(ui.early_start)["EarlyStart"] = PatientStart
    vars(ui.start_marks)["mark"] = tell
    import ui.__main__

    return ui.__main__.main(["--data-dir", folder, "--theme", "light"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
