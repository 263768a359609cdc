"""The two bases of all that travels between a client and the backend.

It never names a value of the business.
"""

from __future__ import annotations

from typing import dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of what travels: unknown fields are ignored, defaults are left out.

    Values hold values alone, never a cycle, so that the collector need not look at them: a first
    sync makes millions, and each look would hold the window.
    """


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Command(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Base of what a client sends: unknown fields are refused."""
