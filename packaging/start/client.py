"""Where the packaged client starts.

It does nothing but call the command line.
"""

import sys

from ui.__main__ import main

sys.exit(main())
