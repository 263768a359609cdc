"""Where both packaged programs start: the client, or the backend by its own name.

It does nothing but ready the process and call a command line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    """Run what this program is named after and return its exit status."""
    if sys.platform == "linux":
        _give_back_library_path()
        _hold_archive()
    if Path(sys.executable).stem == "parley-backend":
        from backend.__main__ import main as serve

        return serve()
    from ui.__main__ import main as show

    return show()


def _give_back_library_path() -> None:
    """Let programs started from here, a browser say, find their own libraries, not ours."""
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before


def _hold_archive() -> None:
    """Go on reading modules out of the file as it is now, when an update puts another there."""
    archive = sys.modules["pyimod02_importers"].pyz_archive  # PyInstaller's, of the locked version
    held = os.open(archive._filename, os.O_RDONLY)
    archive._filename = f"/proc/self/fd/{held}"


if __name__ == "__main__":
    sys.exit(main())
