"""Brings the work tree's .venv and the system packages to what the lock files say.

It never runs Parley, and never reaches the network when its stamp says nothing changed.

Usage: setup.py [run|test] -- `run` installs what the app needs, `test` (default) adds
what the tests and checks need. PARLEY_VENV names another directory than .venv. Standard
library only; a stamped second run costs about 20 ms.
"""

import hashlib
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, os.environ.get("PARLEY_VENV", ".venv"))
LOCKS = {"run": "packaging/requirements/run.txt", "test": "packaging/requirements/test.txt"}

QT_PACKAGES = (
    "libegl1",
    "libgl1",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
)
FONT_PACKAGES = ("fonts-noto-cjk", "fonts-noto-color-emoji")
SESSION_PACKAGES = ("dbus", "dbus-daemon", "gnome-keyring")
DISPLAY_PACKAGES = ("xvfb", "xdotool")
# What is downloaded may break for a moment.
PAUSES_S = (5, 20, 60)


def has_display() -> bool:
    """Tell whether a window can be shown to somebody."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def digest(mode: str) -> str:
    """Return a hash of all that the set-up of `mode` depends on."""
    parts = [ROOT, VENV, mode, "" if mode == "test" else str(has_display())]
    parts.append("%d.%d" % sys.version_info[:2])
    for name in (LOCKS[mode], ".ci/setup.py", "pyproject.toml"):
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text = file.read()
        # The tools' settings do not change what is installed.
        parts.append(text.split("\n[tool.ruff", 1)[0] if name == "pyproject.toml" else text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def stamp_path(mode: str) -> str:
    """Return the file that holds the digest of the last finished set-up."""
    return os.path.join(VENV, f"parley-{mode}.stamp")


def is_fresh(mode: str) -> bool:
    """Tell whether .venv already is what `mode`, or the larger set-up, asks for."""
    for candidate in {mode, "test"}:
        try:
            with open(stamp_path(candidate), encoding="ascii") as file:
                if file.read() == digest(candidate):
                    return True
        except OSError:
            continue
    return False


def say(text: str) -> None:
    """Print one line at once."""
    print(text, flush=True)


def run(
    *command: str, env: "dict[str, str] | None" = None, again_after_s: "tuple[int, ...]" = ()
) -> None:
    """Run a command; end the set-up with its status and a plain sentence where it fails.

    `again_after_s` are pauses in seconds, after each of which it is tried once more.
    """
    import shlex
    import subprocess
    import time

    for pause_s in (*again_after_s, None):
        status = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, check=False).returncode
        if status == 0:
            return
        if pause_s is None:
            sys.exit(f"Set-up stopped: `{shlex.join(command)}` ended with status {status}.")
        say(f"`{shlex.join(command[:4])}` failed; again in {pause_s} s")
        time.sleep(pause_s)


def missing_packages(names: "tuple[str, ...]") -> "list[str]":
    """Return those Debian packages of `names` that are not installed."""
    import subprocess

    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names]
    out = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    installed = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def install_packages(mode: str) -> None:
    """Install the missing Debian packages when root, else name them in one command.

    Ends the set-up when something is missing that Parley cannot start without.
    """
    import shutil

    if not sys.platform.startswith("linux") or not shutil.which("dpkg-query"):
        return
    required: tuple[str, ...] = QT_PACKAGES
    if mode == "test" or not has_display():
        required += SESSION_PACKAGES
    if mode == "test":
        required += DISPLAY_PACKAGES
    if not has_venv_module():
        required += ("python%d.%d-venv" % sys.version_info[:2],)
    missing = missing_packages(required + FONT_PACKAGES)
    if not missing:
        return
    if os.geteuid() == 0:
        say("Installing system packages: " + " ".join(missing))
        install = os.path.join(ROOT, ".ci", "apt-install")  # tries again by itself
        run("bash", install, "--no-install-recommends", *missing)
        return
    say("Parley misses system packages. Please run this once, then start again:")
    say("    sudo apt-get install -y --no-install-recommends " + " ".join(missing))
    if set(missing) - set(FONT_PACKAGES):
        sys.exit(3)


def has_venv_module() -> bool:
    """Tell whether this Python can make virtual environments (Debian splits that off)."""
    import importlib.util

    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def venv_python() -> str:
    """Return the path of the virtual environment's interpreter."""
    windows = sys.platform == "win32"
    return os.path.join(VENV, *(("Scripts", "python.exe") if windows else ("bin", "python")))


def make_venv() -> None:
    """Create .venv with this interpreter unless one of the same version stands there."""
    import subprocess

    if os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        return
    probe = [venv_python(), "-I", "-c", "import sys, pip; print(*sys.version_info[:2])"]
    try:
        out = subprocess.run(probe, capture_output=True, text=True, check=False).stdout.split()
    except OSError:
        out = []
    if out != [str(part) for part in sys.version_info[:2]]:
        say("Making %s with Python %d.%d" % (os.path.basename(VENV), *sys.version_info[:2]))
        run(sys.executable, "-I", "-m", "venv", "--clear", VENV)


def install_python_packages(mode: str) -> None:
    """Install the hash-locked requirements and Parley itself, editable, into .venv."""
    pip = (venv_python(), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    env = dict(os.environ, PIP_ROOT_USER_ACTION="ignore")
    lock = os.path.join(ROOT, LOCKS[mode])
    say(f"Installing {LOCKS[mode]} (every file checked against its hash)")
    locked = ("--only-binary", ":all:", "--require-hashes", "-r", lock)
    run(*pip, *locked, env=env, again_after_s=PAUSES_S)
    run(*pip, "--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT, env=env)


def main() -> None:
    """Set up for the mode named on the command line."""
    mode = sys.argv[1] if len(sys.argv) > 1 else "test"
    if mode not in LOCKS:
        sys.exit("Usage: setup.py [run|test]")
    if is_fresh(mode):
        return
    install_packages(mode)
    make_venv()
    install_python_packages(mode)
    for done in ("run", "test") if mode == "test" else ("run",):
        with open(stamp_path(done), "w", encoding="ascii") as file:
            file.write(digest(done))
    say("Set-up is complete.")


if __name__ == "__main__":
    main()
