#!/usr/bin/env bash
# Signs Parley.app from the inside out with the hardened runtime: libraries first, then frameworks,
# then the second program, the app last, as each seal covers what lies below it.
# It was never run: see ../README.md.
set -euo pipefail
app="${1:?give the path of Parley.app}"
identity="${PARLEY_MACOS_IDENTITY:?give the signing identity, Developer ID Application: …}"
entitlements="$(dirname "${BASH_SOURCE[0]}")/../../macos/entitlements.plist"

seal() {
    codesign --force --timestamp --options runtime --sign "$identity" "$@"
}

# Whatever is Mach-O and no main program, whatever it is called; longest paths are deepest.
find "$app/Contents" -type f ! -path "$app/Contents/MacOS/*" -print0 |
    while IFS= read -r -d '' file; do
        if /usr/bin/file -b "$file" | grep -q 'Mach-O'; then printf '%s\n' "$file"; fi
    done | awk '{ print length($0) "\t" $0 }' | sort -rn | cut -f2- |
    while IFS= read -r file; do seal "$file"; done

find "$app/Contents" -type d -name '*.framework' -print |
    awk '{ print length($0) "\t" $0 }' | sort -rn | cut -f2- |
    while IFS= read -r framework; do seal "$framework"; done

seal --entitlements "$entitlements" --identifier com.parley.desktop.backend \
    "$app/Contents/MacOS/parley-backend"
seal --entitlements "$entitlements" "$app"
codesign --verify --deep --strict --verbose=2 "$app"
