"""Asks the vendors' own kits, which live in an environment of their own, to judge what we do.

It never imports one here: they pull in whatever they like.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.channels.peers import require_peer

_FRAME = "import json, sys\ndata = json.load(sys.stdin)\n{code}\njson.dump(result, sys.stdout)\n"


def ask(code: str, data: Any) -> Any:
    """Run `code` with `data` (as JSON) and return what it leaves in `result`."""
    python = require_peer("oracles") / "bin" / "python"
    told = subprocess.run(
        [str(python), "-c", _FRAME.format(code=code)],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    return json.loads(told.stdout)
