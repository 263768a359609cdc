"""Writes the sample of the policies file for Linux.

It never says where else a setting could stand: the file has one place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from app.settings.schema import Value
from installers.policies.catalogue import plain


def policies_file(values: Mapping[str, Value]) -> bytes:
    """Return the JSON file for /etc/parley/policies/managed."""
    document = {key: plain(value) for key, value in values.items()}
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()
