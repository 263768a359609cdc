"""The client's version, as it tells it to the backend and to the user.

It never says anything of the backend's version or of a file's.
"""

from __future__ import annotations

CLIENT_VERSION = "0.1.0"
