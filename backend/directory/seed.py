"""The filling of an empty database with the sample workspace, in one transaction.

It never touches a database that holds a firm already, and archives each message like a real one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from sqlalchemy import Connection, insert, select

from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.directory.consents import record_consent
from backend.directory.sample import (
    SampleAccount,
    SampleContact,
    SampleWorkspace,
    absolute_utc_ms,
    read_history,
    read_workspace,
)
from backend.directory.seed_histories import PlannedLine, Planner, write_history
from backend.directory.templates import set_template
from backend.directory.walls import set_wall
from backend.inbox.conversations import add_to_book
from backend.inbox.inbound import StoredFile
from backend.storage.tables import (
    account_members,
    channel_accounts,
    contact_points,
    contacts,
    employees,
    firms,
)
from contract.ids import AttachmentId, uuid7
from contract.wire import Mode

PutFile = Callable[[str, int, bytes], None]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The workspace read from its files, with its attachments already kept as blobs."""

    workspace: SampleWorkspace
    planned: tuple[PlannedLine, ...]
    now_utc_ms: int


def load_sample(folder: Path, put_file: PutFile, now_utc_ms: int) -> Sample:
    """Read the sample and keep its files by `put_file(attachment_id, 0, bytes)`.

    It reads and writes files: call it in a thread. Times become relative to `now_utc_ms`.
    """
    workspace = read_workspace(folder)
    planner = Planner(workspace, now_utc_ms)

    def keep(name: str) -> StoredFile:
        body = (folder / "files" / name).read_bytes()
        attachment_id = AttachmentId(uuid7(now_utc_ms, os.urandom(10)))
        put_file(attachment_id, 0, body)
        return StoredFile(
            attachment_id=attachment_id,
            name=name,
            media_type="application/pdf",
            size_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
        )

    for conversation in workspace.conversations:
        planner.add(conversation, read_history(folder, conversation.id), keep)
    return Sample(workspace=workspace, planned=planner.in_order(), now_utc_ms=now_utc_ms)


def is_empty(connection: Connection) -> bool:
    """Tell whether the database holds no firm yet."""
    return connection.execute(select(firms.c.firm_id).limit(1)).first() is None


def seed(connection: Connection, sample: Sample) -> bool:
    """Write the whole workspace; false, changing nothing, when a firm is there already."""
    if not is_empty(connection):
        return False
    workspace = sample.workspace
    firm_id = workspace.firm.id
    connection.execute(insert(firms).values(firm_id=firm_id, display_name=workspace.firm.name))
    _write_employees(connection, workspace)
    for account in workspace.accounts:
        _write_account(connection, workspace, account)
    for contact in workspace.contacts:
        _write_contact(connection, workspace, contact)
    for template in workspace.templates:
        set_template(connection, firm_id, template)
    _write_consents(connection, sample)
    write_history(connection, workspace, sample.planned, sample.now_utc_ms)
    _write_walls(connection, sample)
    return True


def _write_employees(connection: Connection, workspace: SampleWorkspace) -> None:
    for person in workspace.employees:
        connection.execute(
            insert(employees).values(
                employee_id=person.id,
                firm_id=workspace.firm.id,
                display_name=person.name,
                initials=person.initials,
                roles=msgspec.json.encode(person.roles).decode(),
                time_zone=person.time_zone,
                language=person.language,
            )
        )


def _write_account(
    connection: Connection, workspace: SampleWorkspace, account: SampleAccount
) -> None:
    profile = msgspec.structs.replace(
        CHANNEL_CAPABILITIES[account.channel], idempotency=account.idempotency
    )
    governed = account.mode is Mode.GOVERNED
    window = profile.window if governed else None
    connection.execute(
        insert(channel_accounts).values(
            account_id=account.id,
            firm_id=workspace.firm.id,
            channel=account.channel.value,
            mode=account.mode.value,
            label=account.label,
            pooled=account.pooled,
            connector="sandbox" if governed else "import",
            idempotency=account.idempotency.value,
            window_s=None if window is None else window.seconds,
            window_max_messages=None if window is None else window.max_messages,
            send_capability=msgspec.json.encode(profile.for_client()) if governed else None,
        )
    )
    connection.execute(
        insert(account_members).values(
            account_id=account.id, employee_id=workspace.signed_in, firm_id=workspace.firm.id
        )
    )


def _write_contact(
    connection: Connection, workspace: SampleWorkspace, contact: SampleContact
) -> None:
    firm_id = workspace.firm.id
    connection.execute(
        insert(contacts).values(
            contact_id=contact.id,
            firm_id=firm_id,
            display_name=contact.name,
            initials=contact.initials,
            organisation=contact.organisation,
            city=contact.city,
            time_zone=contact.time_zone,
            language=contact.language,
            color=contact.color,
            retail=contact.retail,
        )
    )
    for point in contact.points:
        connection.execute(
            insert(contact_points).values(
                contact_point_id=point.id,
                firm_id=firm_id,
                contact_id=contact.id,
                channel=point.channel.value,
                mode=point.mode.value,
                id_type=point.id_type,
                address=point.address,
                label=point.label,
            )
        )
    for employee_id in (workspace.signed_in, *contact.shared_with):
        add_to_book(connection, firm_id, employee_id, contact.id)


def _write_consents(connection: Connection, sample: Sample) -> None:
    zone, now_utc_ms = sample.workspace.zone, sample.now_utc_ms
    for contact in sample.workspace.contacts:
        for consent in contact.consents:
            at_utc_ms = now_utc_ms
            if consent.decided:
                at_utc_ms = absolute_utc_ms(consent.decided, now_utc_ms, zone)
            record_consent(
                connection,
                contact_id=contact.id,
                kind=consent.kind,
                status=consent.status,
                channel=consent.channel,
                actor_id=contact.id,
                at_utc_ms=at_utc_ms,
                now_utc_ms=now_utc_ms,
                text_version=consent.text_version,
            )


def _write_walls(connection: Connection, sample: Sample) -> None:
    for wall in sample.workspace.walls:
        set_wall(
            connection,
            employee_id=wall.employee,
            contact_id=wall.contact,
            up=True,
            actor_id="backend",
            now_utc_ms=sample.now_utc_ms,
            reference=wall.reference,
        )
