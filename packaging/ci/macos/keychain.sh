#!/usr/bin/env bash
# Makes a keychain for this run with the certificate of P12_BASE64 (password: P12_PASSWORD), unlocked
# for codesign. A runner that is thrown away needs no clean-up; elsewhere delete the keychain after.
# It was never run: see ../README.md.
set -euo pipefail

: "${P12_BASE64:?give the certificate with its key, PKCS 12, in base64}"
: "${P12_PASSWORD:?give its password}"
folder="${RUNNER_TEMP:-$(mktemp -d)}"
keychain="$folder/parley.keychain-db"
password="$(openssl rand -hex 24)"

(umask 077 && printf %s "$P12_BASE64" | base64 --decode >"$folder/parley.p12")
security create-keychain -p "$password" "$keychain"
security set-keychain-settings -lut 3600 "$keychain"
security unlock-keychain -p "$password" "$keychain"
security import "$folder/parley.p12" -k "$keychain" -P "$P12_PASSWORD" -T /usr/bin/codesign
security set-key-partition-list -S apple-tool:,apple: -s -k "$password" "$keychain" >/dev/null
security list-keychains -d user -s "$keychain" login.keychain-db
rm -f "$folder/parley.p12"
