#!/usr/bin/env bash
# Makes the disk image of a signed Parley.app and signs it. It was never run: see ../README.md.
set -euo pipefail
app="${1:?give the path of Parley.app}"
target="${2:?give the folder for the disk image}"
identity="${PARLEY_MACOS_IDENTITY:?give the signing identity, Developer ID Application: …}"

version="$(defaults read "$(cd "$app" && pwd)/Contents/Info" CFBundleShortVersionString)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
ditto "$app" "$work/Parley.app"
ln -s /Applications "$work/Applications"
mkdir -p "$target"
rm -f "$target/Parley-$version.dmg"
hdiutil create -volname "Parley $version" -srcfolder "$work" -fs HFS+ -format UDZO \
    -imagekey zlib-level=9 "$target/Parley-$version.dmg"
codesign --force --timestamp --sign "$identity" "$target/Parley-$version.dmg"
