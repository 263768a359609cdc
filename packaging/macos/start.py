"""Where both programs of the app bundle start, told apart by their names.

It does nothing but tell Parley that it is packaged and call the command line.
"""

import sys
from pathlib import Path

sys.frozen = True  # as PyInstaller says it: app/backend_process.py looks for its neighbour then
sys.argv[0] = sys.executable

if Path(sys.executable).name.lower() == "parley-backend":
    from backend.__main__ import main
else:
    from ui.__main__ import main

sys.exit(main())
