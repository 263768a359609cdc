#!/usr/bin/env bash
# Sends a disk image to Apple's notary service, waits for its word, and staples the ticket.
# It was never run: see ../README.md.
set -euo pipefail
image="${1:?give the path of the disk image}"
: "${PARLEY_NOTARY_KEY:?give the path of the App Store Connect API key (.p8)}"
: "${PARLEY_NOTARY_KEY_ID:?give the id of that key}"
: "${PARLEY_NOTARY_ISSUER:?give the issuer of that key}"

access=(--key "$PARLEY_NOTARY_KEY" --key-id "$PARLEY_NOTARY_KEY_ID" --issuer "$PARLEY_NOTARY_ISSUER")
answer="$(mktemp)"
trap 'rm -f "$answer"' EXIT
xcrun notarytool submit "$image" "${access[@]}" --wait --timeout 40m --output-format plist >"$answer"
status="$(/usr/libexec/PlistBuddy -c 'Print :status' "$answer")"
if [ "$status" != Accepted ]; then
    xcrun notarytool log "$(/usr/libexec/PlistBuddy -c 'Print :id' "$answer")" "${access[@]}"
    echo "Apple's notary service says: $status" >&2
    exit 1
fi
xcrun stapler staple "$image"
