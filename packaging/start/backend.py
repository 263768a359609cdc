"""Where the packaged backend starts.

It does nothing but call the command line.
"""

import sys

from backend.__main__ import main

sys.exit(main())
