"""Owns the export of sealed entries as files, with a receipt for each and a manifest of hashes.

It never leaves a finished export that is not archived as an entry of its own.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from backend.archive.letters import Draft, FileRef, attachment_hashes, draft_letter, files_of
from backend.archive.mail import LetterFile, original_mail
from backend.archive.nodes import NodeCache
from backend.archive.proofs import CosignedCheckpoint, build_receipt, newest_sealed
from backend.archive.retention import archive_change
from backend.archive.selection import COMMUNICATIONS, PAGE, Record, Selection, sealed_records
from backend.archive.signing import log_keys, read_policy
from backend.storage.database import Database
from contract.ids import uuid7
from contract.receipts.keys import VerifierKey
from contract.receipts.saved import FILE_ENDING, format_saved

FORMATS = ("eml", "jsonl")
MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"
DOMAIN = "archive.invalid"
ReadFile = Callable[[str], bytes]


class ExportRefused(ValueError):
    """Nothing was exported; the text is a plain sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """What is exported where, by whom; `client` is a contact's id and only told on."""

    folder: Path
    file_format: str
    selection: Selection
    client: str
    firm_id: str
    actor_id: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What manifest.json says; `files` maps each file's name to its SHA-256 in hex.

    Every receipt ends at the one `checkpoint`; erased entries keep leaf and receipt alone.
    """

    parley_export: int = 1
    export_entry_id: str
    file_format: str
    client: str
    from_utc_ms: int | None
    to_utc_ms: int | None
    created_at_utc_ms: int
    count: int
    erased: int
    first_index: int | None
    last_index: int | None
    log_key: str
    witness_keys: tuple[str, ...]
    quorum: int
    checkpoint: str
    files: dict[str, str]


class _Proof(NamedTuple):
    checkpoint: CosignedCheckpoint
    log_key: VerifierKey
    witnesses: tuple[VerifierKey, ...]
    quorum: int


class _Item(NamedTuple):
    record: Record
    receipt: bytes
    draft: Draft | None
    files: tuple[FileRef, ...]


@dataclass(slots=True)
class _Written:
    """What was written so far."""

    hashes: dict[str, str] = field(default_factory=dict)
    count: int = 0
    erased: int = 0
    first_index: int | None = None
    last_index: int | None = None


def export_archive(
    database: Database, read_file: ReadFile, order: ExportOrder, now_utc_ms: int
) -> Manifest:
    """Write the export into a folder that must not exist yet, then archive it; it blocks.

    Raises ExportRefused, OSError when the disk is full, BlobDamaged, or NodeMissing.
    """
    if order.file_format not in FORMATS:
        raise ExportRefused(f"The format must be one of: {', '.join(FORMATS)}.")
    if order.folder.exists():
        raise ExportRefused("The output folder exists: name a new one.")
    proof = database.read_now(_proof)
    unfinished = order.folder.with_name(order.folder.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    written = _Written()
    for item in _items(database, order, proof):
        _count(written, item)
        saved = format_saved(
            item.receipt, item.record.leaf, proof.log_key, proof.witnesses, proof.quorum
        )
        _write(unfinished, written, f"entries/{item.record.leaf_index}{FILE_ENDING}", saved)
        if order.file_format == "eml":
            _write_mail(unfinished, written, item, read_file)
        else:
            _write_line(unfinished, item)
            _write_files(unfinished, written, item, read_file)
    if order.file_format == "jsonl":
        lines = unfinished / "entries.jsonl"
        lines.touch()
        written.hashes[lines.name] = _file_hash(lines)
    return _finish(database, order, proof, written, unfinished, now_utc_ms)


def _finish(
    database: Database,
    order: ExportOrder,
    proof: _Proof,
    written: _Written,
    unfinished: Path,
    now_utc_ms: int,
) -> Manifest:
    manifest = Manifest(
        export_entry_id=uuid7(now_utc_ms, os.urandom(10)),
        file_format=order.file_format,
        client=order.client,
        from_utc_ms=order.selection.from_utc_ms,
        to_utc_ms=order.selection.to_utc_ms,
        created_at_utc_ms=now_utc_ms,
        count=written.count,
        erased=written.erased,
        first_index=written.first_index,
        last_index=written.last_index,
        log_key=str(proof.log_key),
        witness_keys=tuple(map(str, proof.witnesses)),
        quorum=proof.quorum,
        checkpoint=proof.checkpoint.note.decode(),
        files=dict(sorted(written.hashes.items())),
    )
    told = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    (unfinished / MANIFEST).write_bytes(told)
    said = {
        "client": order.client,
        "count": written.count,
        "first_index": written.first_index,
        "format": order.file_format,
        "from_utc_ms": order.selection.from_utc_ms,
        "last_index": written.last_index,
        "manifest_sha256": hashlib.sha256(told).hexdigest(),
        "to_utc_ms": order.selection.to_utc_ms,
    }
    database.write_now(
        lambda c: archive_change(
            c,
            "export",
            order.firm_id,
            order.actor_id,
            said,
            now_utc_ms,
            entry_id=manifest.export_entry_id,
        )
    )
    unfinished.replace(order.folder)
    return manifest


def _proof(connection: Connection) -> _Proof:
    checkpoint, policy = newest_sealed(connection), read_policy(connection)
    keys = log_keys(connection)
    if checkpoint is None or policy is None or not keys:
        raise ExportRefused("Nothing is sealed yet: start the backend once, then export.")
    return _Proof(checkpoint, keys[-1].verifier_key, policy.keys, policy.quorum)


def _items(database: Database, order: ExportOrder, proof: _Proof) -> Iterator[_Item]:
    chosen = replace(order.selection, end_index=proof.checkpoint.size)
    if order.file_format == "eml":
        chosen = replace(chosen, kinds=COMMUNICATIONS)
    cache = NodeCache()

    def page(connection: Connection) -> list[_Item]:
        return [
            _Item(
                record,
                build_receipt(connection, cache, record.leaf_index, proof.checkpoint),
                draft_letter(connection, record) if record.kind in COMMUNICATIONS else None,
                files_of(connection, record, attachment_hashes(record.body or b"")),
            )
            for record in sealed_records(connection, chosen, PAGE)
        ]

    while items := database.read_now(page):
        yield from items
        chosen = replace(chosen, first_index=items[-1].record.leaf_index + 1)


def _count(written: _Written, item: _Item) -> None:
    index = item.record.leaf_index
    written.count += 1
    written.erased += item.record.body is None
    written.last_index = index
    if written.first_index is None:
        written.first_index = index


def _write_mail(folder: Path, written: _Written, item: _Item, read_file: ReadFile) -> None:
    if item.draft is None:
        return
    files = tuple(
        LetterFile(ref.name, ref.media_type, read_file(ref.attachment_id))
        for ref in item.draft.files
    )
    mail = original_mail(replace(item.draft.letter, files=files), DOMAIN)
    _write(folder, written, f"entries/{item.record.leaf_index}.eml", mail)


def _write_line(folder: Path, item: _Item) -> None:
    record = item.record
    line: dict[str, Any] = {
        "index": record.leaf_index,
        "entry_id": record.entry_id,
        "kind": record.kind,
        "archived_at_utc_ms": record.archived_at_utc_ms,
        "envelope": msgspec.json.decode(record.leaf),
        "leaf": base64.b64encode(record.leaf).decode(),
        "leaf_hash": record.leaf_hash.hex(),
        "salt": None if record.salt is None else record.salt.hex(),
        "body": None if record.body is None else record.body.decode(),
        "erased": record.body is None,
        "receipt": item.receipt.decode(),
    }
    with (folder / "entries.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")


def _write_files(folder: Path, written: _Written, item: _Item, read_file: ReadFile) -> None:
    for ref in item.files:
        if f"files/{ref.sha256}" not in written.hashes:
            _write(folder, written, f"files/{ref.sha256}", read_file(ref.attachment_id))


def _write(folder: Path, written: _Written, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    written.hashes[name] = hashlib.sha256(data).hexdigest()


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
