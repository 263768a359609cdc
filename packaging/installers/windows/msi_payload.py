"""The bundle's files on their way into a package: which are packed, what wixl is told of them.

It never changes the bundle, and puts each file into a component of its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import quoteattr

from installers.faults import BuildFault
from installers.windows.msi_database import CODE_PAGE
from installers.windows.msi_identity import Variant

MAIN_PROGRAM = "parley.exe"
# Equal files of this size are packed once; never code, whose signature and version count.
_COPIED_FROM_BYTES = 256 * 1024
_CODE = frozenset((".exe", ".dll", ".pyd"))


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """One file: its place below the installation's folder, and where the bundle holds it."""

    path: PurePosixPath
    source: Path
    size_bytes: int
    sha256: str

    @property
    def file_id(self) -> str:
        """Return its key in the File table; the main program's is its name."""
        return MAIN_PROGRAM if str(self.path) == MAIN_PROGRAM else _id("f", self.path)

    @property
    def component_id(self) -> str:
        """Return the key of the component that holds it."""
        return _id("c", self.path)


@dataclass(frozen=True, slots=True)
class Payload:
    """All files, in a fixed order with the main program first; which of them are packed."""

    files: list[PayloadFile]

    @property
    def packed(self) -> list[PayloadFile]:
        """Return the files the cabinet holds: of large ones that are equal, the first."""
        copies = self.copies
        return [one for one in self.files if one not in copies]

    @property
    def copies(self) -> dict[PayloadFile, PayloadFile]:
        """Return the files that Windows Installer copies from another one of their folder."""
        first: dict[tuple[PurePosixPath, str], PayloadFile] = {}
        found: dict[PayloadFile, PayloadFile] = {}
        for one in self.files:
            if one.size_bytes >= _COPIED_FROM_BYTES and not _is_code(one.path):
                original = first.setdefault((one.path.parent, one.sha256), one)
                if original is not one:
                    found[one] = original
        return found

    @property
    def size_bytes(self) -> int:
        """Return what all files take when they are installed."""
        return sum(one.size_bytes for one in self.files)

    def digest(self) -> str:
        """Return one SHA-256 over all paths and contents."""
        lines = "".join(f"{one.path}\0{one.sha256}\n" for one in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()


def read_payload(bundle: Path) -> Payload:
    """Return the bundle's files.

    Raises BuildFault where the bundle is missing or holds what a package can't: links, names
    beyond its code page.
    """
    if not (bundle / MAIN_PROGRAM).is_file():
        raise BuildFault(f"{bundle.name} holds no {MAIN_PROGRAM}: build bundle-windows first.")
    found = [path for path in bundle.rglob("*") if path.is_symlink() or not path.is_dir()]
    files: list[PayloadFile] = []
    for source in sorted(found, key=lambda path: _order(path.relative_to(bundle))):
        path = PurePosixPath(source.relative_to(bundle).as_posix())
        if source.is_symlink() or not source.is_file() or not _is_western(str(path)):
            raise BuildFault(f"A package for Windows can't hold {path}: a link or a strange name.")
        with source.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        files.append(PayloadFile(path, source, source.stat().st_size, sha256))
    return Payload(files)


def write_stand_ins(payload: Payload, folder: Path) -> None:
    """Write an empty file for each packed one: wixl wants files, their contents come later."""
    for one in payload.packed:
        stand_in = folder / one.path
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.touch()


def directory_id(path: PurePosixPath) -> str:
    """Return the key of a folder below the installation's folder in the Directory table."""
    return "INSTALLDIR" if not path.parts else _id("d", path)


def fragment(payload: Payload, variant: Variant) -> str:
    """Return the wxs source that holds the packed files, their folders and components."""
    files = payload.packed
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


def _is_code(path: PurePosixPath) -> bool:
    return path.suffix.lower() in _CODE


def _is_western(name: str) -> bool:
    try:
        return bool(name.encode(CODE_PAGE))
    except UnicodeEncodeError:
        return False


def _order(path: Path) -> tuple[bool, str]:
    return (path.as_posix() != MAIN_PROGRAM, path.as_posix())


def _id(prefix: str, path: PurePosixPath) -> str:
    """Return a key made of the path: it stays the same in each version."""
    return f"{prefix}_{hashlib.sha256(str(path).lower().encode()).hexdigest()[:24]}"
