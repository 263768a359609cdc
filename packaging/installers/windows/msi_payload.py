"""The bundle's files on their way into a package: staged with one time, told to wixl one by one.

It never changes the bundle, and puts each file into a component of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import quoteattr

from installers.faults import BuildFault
from installers.windows.msi_identity import Variant

MAIN_PROGRAM = "parley.exe"


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """One file: its place below the installation's folder, and the staged copy."""

    path: PurePosixPath
    staged: Path
    size_bytes: int

    @property
    def file_id(self) -> str:
        """Return its key in the File table; the main program's is its name."""
        return MAIN_PROGRAM if str(self.path) == MAIN_PROGRAM else _id("f", self.path)

    @property
    def component_id(self) -> str:
        """Return the key of the component that holds it."""
        return _id("c", self.path)


def stage(bundle: Path, folder: Path, epoch_s: int) -> list[PayloadFile]:
    """Copy the bundle's files below `folder`, all of one time; return them in a fixed order.

    The main program comes first. Raises BuildFault where the bundle is missing or holds what a
    package can't: links, names that are not ASCII.
    """
    if not (bundle / MAIN_PROGRAM).is_file():
        raise BuildFault(f"{bundle.name} holds no {MAIN_PROGRAM}: build bundle-windows first.")
    found = [path for path in bundle.rglob("*") if path.is_symlink() or not path.is_dir()]
    files: list[PayloadFile] = []
    for source in sorted(found, key=lambda path: _order(path.relative_to(bundle))):
        path = PurePosixPath(source.relative_to(bundle).as_posix())
        if source.is_symlink() or not source.is_file() or not str(path).isascii():
            raise BuildFault(f"A package for Windows can't hold {path}: a link or a strange name.")
        staged = folder / path
        staged.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, staged)
        os.utime(staged, (epoch_s, epoch_s))
        files.append(PayloadFile(path, staged, staged.stat().st_size))
    return files


def digest(files: list[PayloadFile]) -> str:
    """Return one SHA-256 over all paths and contents."""
    whole = hashlib.sha256()
    for one in files:
        with one.staged.open("rb") as content:
            inner = hashlib.file_digest(content, "sha256").hexdigest()
        whole.update(f"{one.path}\0{inner}\n".encode())
    return whole.hexdigest()


def directory_id(path: PurePosixPath) -> str:
    """Return the key of a folder below the installation's folder in the Directory table."""
    return "INSTALLDIR" if not path.parts else _id("d", path)


def fragment(files: list[PayloadFile], variant: Variant) -> str:
    """Return the wxs source that holds the files, their folders and components."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi"><Fragment>',
    ]
    for folder in _folders(files):
        if folder.parts:
            parent, own = directory_id(folder.parent), directory_id(folder)
            lines.append(
                f"<DirectoryRef Id={quoteattr(parent)}><Directory Id={quoteattr(own)} "
                f"Name={quoteattr(folder.name)}/></DirectoryRef>"
            )
    for one in files:
        guid = variant.component_guid(f"file/{str(one.path).lower()}")
        lines.append(
            f"<DirectoryRef Id={quoteattr(directory_id(one.path.parent))}>"
            f'<Component Id={quoteattr(one.component_id)} Guid={quoteattr(guid)} Win64="yes">'
            f"<File Id={quoteattr(one.file_id)} Name={quoteattr(one.path.name)} "
            f'Source={quoteattr(f"files/{one.path}")} KeyPath="yes"/></Component></DirectoryRef>'
        )
    lines.append('<ComponentGroup Id="Payload">')
    lines += [f"<ComponentRef Id={quoteattr(one.component_id)}/>" for one in files]
    lines.append("</ComponentGroup></Fragment></Wix>")
    return "\n".join(lines) + "\n"


def _folders(files: list[PayloadFile]) -> list[PurePosixPath]:
    found = {parent for one in files for parent in one.path.parents}
    return sorted(found, key=lambda path: (len(path.parts), str(path)))


def _order(path: Path) -> tuple[bool, str]:
    return (path.as_posix() != MAIN_PROGRAM, path.as_posix())


def _id(prefix: str, path: PurePosixPath) -> str:
    """Return a key made of the path: it stays the same in each version."""
    return f"{prefix}_{hashlib.sha256(str(path).lower().encode()).hexdigest()[:24]}"
