#!/usr/bin/env bash
# Builds out/bundle/macos/Parley.app with PyInstaller from packaging/app.spec, on an Apple silicon
# Mac with Python 3.13. It signs nothing. It was never run: see ../README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

python3.13 -m venv --clear build/python
python=build/python/bin/python
"$python" -m pip install --require-hashes --only-binary :all: --no-deps \
    -r packaging/requirements/run.txt
"$python" -m pip install --require-hashes --only-binary :all: --no-deps \
    --target build/tools -r packaging/requirements/packaging.txt

SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH PYTHONPATH=build/tools:packaging PYTHONHASHSEED=0 QT_QPA_PLATFORM=offscreen
mkdir -p build/resources
"$python" - <<'PYTHON'
from pathlib import Path

from installers.macos.icon import icns
from installers.macos.property_list import info_plist
from installers.places import ROOT

target = ROOT / "build" / "resources"
(target / "Parley.icns").write_bytes(icns(ROOT / "resources" / "icons" / "parley.svg"))
(target / "Info.plist").write_bytes(info_plist())
PYTHON
PARLEY_BUNDLE_ICON="$PWD/build/resources/Parley.icns" \
    PARLEY_BUNDLE_PLIST="$PWD/build/resources/Info.plist" \
    "$python" -m PyInstaller --noconfirm --log-level WARN \
    --distpath build/dist --workpath build/work packaging/app.spec

app=out/bundle/macos/Parley.app
rm -rf out/bundle/macos
mkdir -p out/bundle/macos
mv build/dist/Parley.app "$app"
# Info.plist calls the program Parley; PyInstaller wrote parley. Disks that tell them apart exist.
mv "$app/Contents/MacOS/parley" "$app/Contents/MacOS/parley.new"
mv "$app/Contents/MacOS/parley.new" "$app/Contents/MacOS/Parley"
"$app/Contents/MacOS/Parley" --version
