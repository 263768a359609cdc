#!/usr/bin/env bash
# Builds both MSIs on Debian from out/bundle/windows, which a Windows runner built and signed.
# It signs nothing: the packages go back to Windows for that. It was never run by a CI: see
# ../README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

[ -f out/bundle/windows/parley.exe ] || {
    echo "out/bundle/windows is missing: fetch the artefact bundle-windows there first." >&2
    exit 1
}
.ci/setup test
.ci/packaging-tools
unset PARLEY_SIGN_CERT PARLEY_SIGN_KEY
PYTHONPATH=packaging .venv/bin/python -c '
from installers.materials.write import add_notices
from installers.places import BUNDLES
from installers.windows.bundle import check

check(BUNDLES / "windows")
add_notices("windows", BUNDLES / "windows")
'
PYTHONPATH=packaging .venv/bin/python -m installers msi
