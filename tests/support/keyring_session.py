"""A process on a session bus of its own that opens a client's data with that bus's keyring.

It never speaks to a keyring unless it runs under .ci/with-session-bus.

Its arguments: the client's folder, then what to do in turn: open, lock or unlock.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import secretstorage

from app.domain.errors import AppError
from tests.support.client_driver import Orders, make_core
from tests.support.surroundings import ROOT, require_private_keyring


def run_session(root: str, *steps: str) -> list[dict[str, str]]:
    """Run the steps on a new session bus; return what each `open` came to: code and key."""
    done = subprocess.run(
        [
            str(ROOT / ".ci" / "with-session-bus"),
            *(sys.executable, "-m", "tests.support.keyring_session", root, *steps),
        ],
        cwd=ROOT,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    # The bus and the keyring may say something of their own on the same pipe.
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]


async def _open(root: str) -> dict[str, str]:
    core = make_core(Orders(root=root, passphrase=None))
    try:
        await core.open()
    except AppError as fault:
        return {"code": fault.code, "key": fault.user_message_key, "detail": fault.detail}
    await core.close()
    return {"code": "", "key": "", "detail": ""}


def _lock() -> None:
    connection = secretstorage.dbus_init()
    secretstorage.get_default_collection(connection).lock()
    connection.close()


def _unlock() -> None:
    command = ["gnome-keyring-daemon", "--replace", "--unlock", "--components=secrets"]
    subprocess.run(command, input=b"\n", capture_output=True, timeout=60, check=True)


def main() -> None:
    """Do what the arguments say and print a line per `open`."""
    require_private_keyring()
    root, *steps = sys.argv[1:]
    for step in steps:
        if step == "open":
            print(json.dumps(asyncio.run(_open(root))), flush=True)
        else:
            {"lock": _lock, "unlock": _unlock}[step]()


if __name__ == "__main__":
    main()
