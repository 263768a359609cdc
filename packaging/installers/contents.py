"""What goes into a bundle: our packages and data, and the part of Qt and others Parley uses.

It builds nothing and imports nothing but the standard library, so that app.spec and the
assembly for macOS take the same list.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Literal

QtSystem = Literal["linux", "windows", "macos"]

FIRST_PARTY = ("contract", "backend_client", "app", "ui", "backend", "resources")
# Loaded by their names, or by a hook of their library's; PyInstaller can't see those.
HIDDEN_IMPORTS = (
    "sqlalchemy.dialects.sqlite.pysqlcipher",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
    "uvicorn.lifespan.off",
    "_cffi_backend",  # cryptography's compiled part imports it
)
HIDDEN_PACKAGES = ("phonenumbers.data", "phonenumbers.shortdata", "keyring.backends")
# Distributions whose metadata is read when Parley runs: keyring finds its backends by it.
METADATA = ("keyring",)
THIRD_PARTY_DATA = {"puremagic": ("magic_data.json",), "certifi": ("cacert.pem",)}
WINDOWS_DATA = {"tzdata": ("zoneinfo/**",)}

# Modules never needed when Parley runs, ours and others', with everything below them.
LEFT_OUT_MODULES = (
    "backend.channels.conformance",  # judges a channel's module, with pytest
    "tests",
    # The standard library's own workshop.
    *("tkinter", "turtle", "turtledemo", "idlelib", "lib2to3", "ensurepip", "venv", "test"),
    *("distutils", "pydoc_data", "curses", "readline", "doctest", "pdb", "pydoc", "unittest"),
    *("_pydecimal", "_pydatetime"),  # for Pythons without the compiled ones
    "_wmi",  # asks Windows' management service, for seconds where that is ill; platform can without
    # Builds and tests.
    *("pip", "setuptools", "pkg_resources", "wheel", "_distutils_hack", "hatchling", "editables"),
    *("pytest", "_pytest", "hypothesis", "mypy", "IPython", "PyInstaller", "packaging"),
    *("attr", "attrs"),
    # Parts of libraries that Parley does not use.
    *("alembic", "mako", "markupsafe", "boto3", "botocore", "gi", "dbus", "PIL", "numpy"),
    *("cffi", "pycparser", "lxml", "click.testing", "starlette.testclient", "starlette.schemas"),
    *("sqlalchemy.orm", "sqlalchemy.ext", "sqlalchemy.testing", "anyio._backends._trio"),
    *(f"sqlalchemy.dialects.{name}" for name in ("mysql", "mssql", "oracle", "postgresql")),
    *(f"phonenumbers.{name}" for name in ("geodata", "carrierdata", "tzdata")),
    *(f"phonenumbers.{name}" for name in ("geocoder", "carrier", "timezone")),
)

# Of the libraries that PyInstaller finds on the Linux machine which builds, these go along; all
# others are every Linux desktop's own, kept new there: graphics, fonts, C++, OpenSSL.
_TAKEN_ALONG_ON_LINUX = (
    *("libpython3*", "libffi.so*", "libbz2.so*"),
    *("libQt6*", "libicu*", "libpyside6*", "libshiboken6*"),
)

QT_MODULES = ("QtCore", "QtDBus", "QtGui", "QtSvg", "QtTest", "QtWidgets")
# What those modules and the plug-ins below are linked to, besides themselves; and where the system
# knows more of proxies than the environment does, the module that asks it (decision 26).
_QT_LINKED: dict[QtSystem, tuple[str, ...]] = {
    "linux": ("XcbQpa", "WaylandClient"),
    "windows": ("Network",),
    "macos": ("Network",),
}
# Plug-ins by folder and plain name, without `lib` before and an ending after it.
_QT_PLUGINS: dict[QtSystem, frozenset[str]] = {
    "linux": frozenset(
        (
            "platforms/qoffscreen",
            "platforms/qxcb",
            "platforms/qwayland",
            "wayland-shell-integration/xdg-shell",
            "wayland-decoration-client/adwaita",
            "wayland-decoration-client/bradient",
            "platforminputcontexts/composeplatforminputcontextplugin",
            "platforminputcontexts/ibusplatforminputcontextplugin",
            "platformthemes/qxdgdesktopportal",
            "iconengines/qsvgicon",
            "imageformats/qsvg",
        )
    ),
    "windows": frozenset(
        ("platforms/qoffscreen", "platforms/qwindows", "iconengines/qsvgicon", "imageformats/qsvg")
    ),
    "macos": frozenset(
        ("platforms/qoffscreen", "platforms/qcocoa", "iconengines/qsvgicon", "imageformats/qsvg")
    ),
}


def qt_system() -> QtSystem:
    """Return the system this very Python runs on, as the lists above name it."""
    names: dict[str, QtSystem] = {"win32": "windows", "darwin": "macos"}
    return names.get(sys.platform, "linux")


def first_party_modules(root: Path) -> list[str]:
    """Return the names of all our modules that belong in a bundle, in alphabetical order."""
    found = []
    for package in FIRST_PARTY:
        for path in (root / package).rglob("*.py"):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found.append(name.removesuffix(".__init__"))
    return sorted(name for name in found if not is_left_out(name))


def data_files(root: Path) -> list[tuple[Path, PurePosixPath]]:
    """Return our files that are no code, each with the path it has in the bundle."""
    found = [
        (path, PurePosixPath(path.relative_to(root).as_posix()))
        for path in sorted((root / "resources").rglob("*"))
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    schema = root / "packaging" / "policy" / "schema.json"
    return [*found, (schema, PurePosixPath("app/settings/schema.json"))]


def third_party_data(site: Path, system: QtSystem) -> list[tuple[Path, PurePosixPath]]:
    """Return the libraries' own files that are read when Parley runs; `site` holds the wheels."""
    wanted = THIRD_PARTY_DATA | (WINDOWS_DATA if system == "windows" else {})
    return [
        (path, PurePosixPath(path.relative_to(site).as_posix()))
        for package, patterns in sorted(wanted.items())
        for pattern in patterns
        for path in sorted((site / package).glob(pattern))
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]


def is_left_out(module: str) -> bool:
    """Tell whether a module, `package.module`, or a package above it never goes along."""
    return any(module == name or module.startswith(f"{name}.") for name in LEFT_OUT_MODULES)


def is_wanted(path: PurePosixPath, system: QtSystem) -> bool:
    """Tell whether a file goes along; `path` is relative to the folder of the wheels.

    A file of Qt has to be listed above; any other has to be no part of what is left out.
    """
    if "PySide6" in path.parts or _qt_name(path.name) is not None:
        return _is_qt_wanted(path, system)
    if path.parts[0].endswith(".dist-info"):
        return True
    folders = [".".join(path.parts[: depth + 1]) for depth in range(len(path.parts) - 1)]
    module = ".".join((*path.parts[:-1], path.name.split(".")[0]))
    return not any(is_left_out(name) for name in (*folders, module))


def is_left_to_linux(path: PurePosixPath) -> bool:
    """Tell whether a file of a Linux bundle is a library that each Linux brings itself.

    Such files stand at the top, `path` being relative to the bundle's own folder of libraries.
    """
    if len(path.parts) > 1 or ".so" not in path.name or not path.name.startswith("lib"):
        return False
    return not any(fnmatch(path.name, pattern) for pattern in _TAKEN_ALONG_ON_LINUX)


def _is_qt_wanted(path: PurePosixPath, system: QtSystem) -> bool:
    if "plugins" in path.parts:
        folder, name = path.parts[-2:]
        return f"{folder}/{name.removeprefix('lib').split('.')[0]}" in _QT_PLUGINS[system]
    if not _QT_LEFT_OUT.isdisjoint(path.parts) or path.suffix == ".pyi":
        return False
    names = [name for name in map(_qt_name, path.parts) if name is not None]
    if names:
        return names[0] in _qt_names(system)
    return not any(fnmatch(path.name, pattern) for pattern in _QT_PROGRAMS)


def _qt_name(part: str) -> str | None:
    """Return the module, as `Core`, of which this is a library, binding, framework or stub."""
    plain = part.removeprefix("lib")
    for start in ("Qt6", "Qt"):
        if plain.startswith(start) and plain[len(start) : len(start) + 1].isupper():
            return plain.removeprefix(start).split(".")[0]
    return None


def _qt_names(system: QtSystem) -> frozenset[str]:
    return frozenset((*(name.removeprefix("Qt") for name in QT_MODULES), *_QT_LINKED[system]))


# Folders of PySide6 that only developers read, and programs for them.
_QT_LEFT_OUT = frozenset(
    (
        *("qml", "translations", "include", "glue", "typesystems", "doc", "scripts"),
        *(
            "metatypes",
            "libexec",
            "resources",
            "cmake",
            "Assistant.app",
            "Designer.app",
            "Linguist.app",
        ),
    )
)
_QT_PROGRAMS = (
    *("assistant*", "designer*", "linguist*", "lrelease*", "lupdate*", "qml*", "svgtoqml*"),
    *("rcc*", "uic*", "balsam*", "libpyside6qml*", "pyside6qml*", "opengl32sw.dll", "*.lib"),
)
