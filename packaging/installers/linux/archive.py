"""Writing a folder as a .tar.xz, the same bytes whenever and wherever it is written.

It reads no owner, time or order from the disk: only names, contents, links and run bits count.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from installers.faults import BuildFault

# Blocks of a fixed size give the same bytes with any number of threads.
_XZ = ("xz", "--threads=2", "--block-size=64MiB", "-9", "--check=crc64", "--stdout")


def tar_xz(folder: Path, at_s: int) -> bytes:
    """Return everything below `folder` as a compressed archive whose names start with `./`.

    All of it belongs to root and bears the time `at_s`; raises BuildFault without xz.
    """
    return compressed(tar(folder, at_s))


def tar(folder: Path, at_s: int) -> bytes:
    """Return everything below `folder` as an archive, in the order of the names."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(_entry("./", tarfile.DIRTYPE, 0o755, at_s))
        for path in _sorted(folder):
            name = f"./{path.relative_to(folder).as_posix()}"
            if path.is_symlink():
                entry = _entry(name, tarfile.SYMTYPE, 0o777, at_s)
                entry.linkname = str(path.readlink())
                archive.addfile(entry)
            elif path.is_dir():
                archive.addfile(_entry(f"{name}/", tarfile.DIRTYPE, 0o755, at_s))
            else:
                runs = bool(path.stat().st_mode & 0o100)
                entry = _entry(name, tarfile.REGTYPE, 0o755 if runs else 0o644, at_s)
                entry.size = path.stat().st_size
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    return written.getvalue()


def compressed(plain: bytes) -> bytes:
    """Return bytes packed by xz; raises BuildFault without it."""
    try:
        done = subprocess.run(_XZ, input=plain, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BuildFault("xz is missing: run .ci/packaging-tools.") from error
    if done.returncode != 0:
        raise BuildFault(f"xz stopped: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def compressed_once(plain: bytes, cache: Path) -> bytes:
    """Return bytes packed by xz, out of the file `cache` where it holds these very bytes packed.

    The archive and the Debian package carry the same tree, and packing takes a minute.
    """
    key = hashlib.sha256(repr(_XZ).encode() + plain).hexdigest()
    kept = cache.with_suffix(f".{key[:32]}.xz")
    if not kept.is_file():
        packed = compressed(plain)
        for outdated in cache.parent.glob(f"{cache.stem}.*.xz"):
            outdated.unlink()
        cache.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(".new")
        new.write_bytes(packed)
        new.rename(kept)
    return kept.read_bytes()


def ar(members: list[tuple[str, bytes]], at_s: int) -> bytes:
    """Return members as an archive of the kind that Debian packages are."""
    parts = [b"!<arch>\n"]
    for name, content in members:
        parts.append(f"{name:<16}{at_s:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


def _sorted(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).parts)


def _entry(name: str, kind: bytes, mode: int, at_s: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, at_s
    entry.uname = entry.gname = "root"
    return entry
