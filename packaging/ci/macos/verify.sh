#!/usr/bin/env bash
# Verifies a disk image the way a Mac does that gets it from the internet, and starts what is in it.
# It was never run: see ../README.md.
set -euo pipefail
image="${1:?give the path of the disk image}"

xcrun stapler validate "$image"
spctl --assess --type open --context context:primary-signature --verbose "$image"
mounted="$(mktemp -d)"
hdiutil attach -nobrowse -readonly -mountpoint "$mounted" "$image"
trap 'hdiutil detach "$mounted"' EXIT
codesign --verify --deep --strict --verbose=2 "$mounted/Parley.app"
spctl --assess --type execute --verbose "$mounted/Parley.app"
"$mounted/Parley.app/Contents/MacOS/Parley" --version

report="$(mktemp)"
status=0
QT_QPA_PLATFORM=offscreen "$mounted/Parley.app/Contents/MacOS/Parley" \
    --selftest --json --output "$report" || status=$?
# 0: the sample workspace answers; 20: this Mac has no usable keychain or is not set up.
case "$status" in
    0 | 10 | 20) cat "$report" ;;
    *) echo "The self-test ended with $status." >&2; exit 1 ;;
esac
