"""Owns who may put a policy bundle in force: the registered keys, and the rule of two people.

It never lets a bundle's author publish alone, and never registers a key on its owner's word.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from backend.archive.entries import append_act
from backend.directory.people import read_me
from backend.governance.policy import (
    RunningPolicy,
    adopt,
    policy_on_record,
    publish,
    running_policy,
)
from backend.storage.publication_tables import policy_keys
from backend.storage.tables import properties
from contract.ids import EmployeeId
from contract.policy.bundle import Side
from contract.policy.manifest import NOTE_FILE
from contract.policy.problems import BundleError
from contract.policy.signing import read_signature, sign_bundle
from contract.receipts.errors import NoteError, ReceiptError
from contract.receipts.keys import KeyType, VerifierKey
from contract.receipts.notes import open_note
from contract.receipts.signers import SEED_BYTES, Signer, format_private_key, parse_private_key
from contract.wire import Role

PEOPLE_NEEDED = 2
_OWN_KEY = "policy_key"
_MAY_SIGN = frozenset({Role.COMPLIANCE, Role.ADMINISTRATOR})


class PublicationRefused(Exception):
    """A bundle or a key is not taken; the text is a plain sentence that says what to do."""


class PolicyKey(NamedTuple):
    """A key that counts; `employee_id` is empty for the workspace's own."""

    key: VerifierKey
    employee_id: str


def own_signer(connection: Connection, firm_id: str, instance_id: str, now_utc_ms: int) -> Signer:
    """Return the workspace's own key, made at its first use and kept in the database."""
    columns = properties.c
    kept = connection.execute(
        select(columns.value).where(columns.name == _OWN_KEY)
    ).scalar_one_or_none()
    if kept is not None:
        return parse_private_key(kept)
    seed = os.urandom(SEED_BYTES)
    secret = format_private_key(f"policy/{instance_id}", KeyType.ED25519, seed)
    signer = parse_private_key(secret)
    connection.execute(insert(properties).values(name=_OWN_KEY, value=secret))
    _insert(connection, firm_id, signer.verifier_key, "", now_utc_ms)
    return signer


def known_keys(connection: Connection) -> tuple[PolicyKey, ...]:
    """Return the keys that count now, oldest first."""
    columns = policy_keys.c
    rows = connection.execute(
        select(columns.verifier_key, columns.employee_id)
        .where(columns.retired_at_utc_ms.is_(None))
        .order_by(columns.added_at_utc_ms, columns.verifier_key)
    ).all()
    return tuple(PolicyKey(VerifierKey.parse(key), employee) for key, employee in rows)


def add_key(
    connection: Connection, firm_id: str, key_text: str, employee_id: str, by: str, now_utc_ms: int
) -> PolicyKey:
    """Register a person's key, on the order of somebody else; archived.

    Raises PublicationRefused: a bad or known key, a person without the role, one's own order.
    """
    try:
        key = VerifierKey.parse(key_text)
    except NoteError as error:
        raise PublicationRefused(f"The key can't be read: {error}.") from error
    if key.key_type is not KeyType.ED25519:
        raise PublicationRefused("This key signs checkpoints only: make one with `policy keygen`.")
    _check_person(connection, employee_id)
    _check_person(connection, by)
    if by == employee_id:
        raise PublicationRefused("Nobody registers a key of their own: ask a colleague to do it.")
    columns = policy_keys.c
    if connection.execute(select(columns.firm_id).where(columns.verifier_key == str(key))).first():
        raise PublicationRefused("This key was registered before, and stays what it was.")
    _insert(connection, firm_id, key, employee_id, now_utc_ms)
    _archive(connection, firm_id, by, "key_added", str(key), employee_id, now_utc_ms)
    return PolicyKey(key, employee_id)


def retire_key(
    connection: Connection, firm_id: str, key_text: str, by: str, now_utc_ms: int
) -> None:
    """Let a key count no more; archived. Raises PublicationRefused for a key that is not known."""
    _check_person(connection, by)
    columns = policy_keys.c
    employee_id = connection.execute(
        update(policy_keys)
        .where(columns.verifier_key == key_text, columns.retired_at_utc_ms.is_(None))
        .values(retired_at_utc_ms=now_utc_ms)
        .returning(columns.employee_id)
    ).scalar_one_or_none()
    if employee_id is None:
        raise PublicationRefused("No such key counts: list them with `policy keys`.")
    _archive(connection, firm_id, by, "key_retired", key_text, employee_id, now_utc_ms)


def publish_signed(
    connection: Connection, firm_id: str, files: Mapping[str, bytes], now_utc_ms: int
) -> RunningPolicy:
    """Put a bundle in force that two people signed; clients are told, and it is archived.

    Raises PublicationRefused, contract.policy.problems.BundleError, or
    backend.governance.policy.PolicyTooOld.
    """
    known = known_keys(connection)
    signed = read_signature(files, [one.key for one in known], Side.SERVER)
    owners = {one.key: one.employee_id for one in known}
    people = sorted({owners[key] for key in signed.signers} - {""})
    if len(people) < PEOPLE_NEEDED:
        raise PublicationRefused(
            "A policy needs the signatures of two people whose keys are registered: let a "
            "colleague sign the bundle too, with `policy sign BUNDLE --key … -o BUNDLE`."
        )
    policy = running_policy(files)
    publish(connection, firm_id, policy, now_utc_ms, signers=people)
    return policy


def settle_policy(
    connection: Connection,
    firm_id: str,
    instance_id: str,
    shipped: Mapping[str, bytes],
    now_utc_ms: int,
) -> tuple[RunningPolicy, str]:
    """Return the policy in force, and what is wrong with the one that came with Parley, if so.

    What came with Parley is signed by the workspace itself and counts until people publish one.
    One that was in force at the last start is not compiled here. Raises BundleError when a new
    shipped one has a fault.
    """
    signer = own_signer(connection, firm_id, instance_id, now_utc_ms)
    newest = policy_on_record(connection, firm_id)
    if newest is not None and NOTE_FILE in newest.files:
        if _is_shipped(newest.files, shipped, known_keys(connection)):
            return newest, ""
        if not _is_own(newest.files, signer):
            return newest, ""
    return adopt(connection, firm_id, running_policy(sign_bundle(shipped, signer)), now_utc_ms)


def _is_shipped(
    files: Mapping[str, bytes], shipped: Mapping[str, bytes], known: Sequence[PolicyKey]
) -> bool:
    """Tell whether a bundle's files are those that came with Parley, under a key that counts."""
    if {name: content for name, content in files.items() if name != NOTE_FILE} != dict(shipped):
        return False
    try:
        open_note(files[NOTE_FILE], [one.key for one in known])
    except ReceiptError:
        return False
    return True


def _is_own(files: Mapping[str, bytes], signer: Signer) -> bool:
    try:
        read_signature(files, [signer.verifier_key], Side.SERVER)
    except BundleError:
        return False
    return True


def _check_person(connection: Connection, employee_id: str) -> None:
    person = read_me(connection, EmployeeId(employee_id))
    if person is None:
        raise PublicationRefused(f"There is no employee {employee_id!r}.")
    if _MAY_SIGN.isdisjoint(person.roles):
        raise PublicationRefused("Only people of the role compliance or administrator may do this.")


def _insert(
    connection: Connection, firm_id: str, key: VerifierKey, employee_id: str, now_utc_ms: int
) -> None:
    connection.execute(
        insert(policy_keys).values(
            verifier_key=str(key),
            firm_id=firm_id,
            employee_id=employee_id,
            added_at_utc_ms=now_utc_ms,
        )
    )


def _archive(
    connection: Connection,
    firm_id: str,
    by: str,
    event: str,
    key: str,
    employee_id: str,
    now_utc_ms: int,
) -> None:
    append_act(
        connection,
        kind="policy",
        actor_id=by,
        told={"employee": employee_id, "event": event, "key": key},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
