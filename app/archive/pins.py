"""Owns which keys are believed: those IT set, or the sample workspace's own from first use on.

It never takes a firm's keys from the service.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from contract.receipts.cosignatures import check_policy
from contract.receipts.keys import VerifierKey
from contract.wire import CapabilitiesDocument

SAMPLE_WORKSPACE = "sample"
ANY_SIZE = 2**63 - 1
_SAMPLE = "sample "


@dataclass(frozen=True, slots=True)
class ManagedKeys:
    """The verifier keys as IT set them; empty where nothing is set."""

    log_key: str = ""
    witness_keys: tuple[str, ...] = ()
    recovery_keys: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """Return what tells one setting of keys from another."""
        return "\n".join((self.log_key, *self.witness_keys)) if self.log_key else ""


class Former(msgspec.Struct, frozen=True):
    """Keys that a statement has replaced: they prove old receipts, up to `until_size` entries."""

    log_key: str
    witness_keys: tuple[str, ...]
    quorum: int
    until_size: int


class Trust(msgspec.Struct, frozen=True):
    """The keys in force, as texts; `base` is what they were founded on.

    A statement of the recovery keys may have replaced what IT set; `applied` holds the SHA-256
    of each statement used, so that none is used twice.
    """

    base: str
    log_key: str
    witness_keys: tuple[str, ...]
    quorum: int
    applied: tuple[str, ...] = ()
    former: tuple[Former, ...] = ()

    def succeeded(self, until_size: int) -> tuple[Former, ...]:
        """Return the former keys once these too are replaced."""
        mine = Former(self.log_key, self.witness_keys, self.quorum, until_size)
        return (*self.former, mine)

    @property
    def is_sample(self) -> bool:
        """Tell whether these keys were believed at first use."""
        return self.base.startswith(_SAMPLE)


@dataclass(frozen=True, slots=True)
class Policy:
    """The keys in force, ready to verify with; `quorum` different witnesses must cosign.

    `until_size` bounds what former keys may prove; None for those in force.
    """

    log: VerifierKey
    witnesses: tuple[VerifierKey, ...]
    quorum: int
    until_size: int | None = None
    former: tuple[Policy, ...] = ()


def found(
    managed: ManagedKeys, capabilities: CapabilitiesDocument | None, known: Trust | None
) -> Trust | None:
    """Return the trust to go on with: `known` while what it was founded on still stands.

    A receipt needs every witness that IT has set. None when there are no keys to believe.
    """
    if managed.base:
        if known is not None and known.base == managed.base:
            return known
        count = len(managed.witness_keys)
        new = Trust(managed.base, managed.log_key, managed.witness_keys, count)
        if known is None or known.is_sample:
            return new
        former = known.former
        if known.log_key != managed.log_key:
            former = known.succeeded(ANY_SIZE)  # IT has set the new key by itself
        return msgspec.structs.replace(new, applied=known.applied, former=former)
    if known is not None and not known.is_sample:
        return known
    if capabilities is None or capabilities.workspace != SAMPLE_WORKSPACE:
        return known if capabilities is None else None
    base, keys = f"{_SAMPLE}{capabilities.instance_id}", capabilities.archive
    if keys is None or (known is not None and known.base == base):
        return known
    return Trust(base, keys.log_key, keys.witness_keys, keys.quorum)


def policy_of(trust: Trust) -> Policy:
    """Return the keys ready for use; raises ReceiptError when one is none or they don't fit."""
    former = tuple(_policy(each, each.until_size) for each in trust.former)
    return replace(_policy(trust, None), former=former)


def same_archive(old: Trust | None, new: Trust) -> bool:
    """Tell whether the tree seen under `old` must go on under `new`.

    Only a sample's tree is left behind: for another sample, or when IT has set a firm's keys.
    """
    return old is None or old.base == new.base or not old.is_sample


def _policy(keys: Trust | Former, until_size: int | None) -> Policy:
    log = VerifierKey.parse(keys.log_key)
    witnesses = tuple(VerifierKey.parse(key) for key in keys.witness_keys)
    check_policy(log, witnesses, keys.quorum)
    return Policy(log, witnesses, keys.quorum, until_size)
