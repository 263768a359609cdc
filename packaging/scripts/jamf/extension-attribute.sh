#!/bin/bash
# Extension attribute for Jamf Pro (data type string): who can mend what the self-test found.
# <result>ok</result>, "user: …", "IT: …", "vendor: …", "broken: exit N", "not installed", or
# "nobody signed in": the self-test runs as the person at the screen. It was never run on a Mac.
program="${PARLEY_PROGRAM:-/Applications/Parley.app/Contents/MacOS/Parley}"
person="${PARLEY_PERSON:-$(stat -f %Su /dev/console)}"

say() {
    printf '<result>%s</result>\n' "$(printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g')"
    exit 0
}

as_person() {
    if [ "$(id -un)" = "$person" ]; then
        "$@"
    else
        launchctl asuser "$(id -u "$person")" sudo -u "$person" "$@"
    fi
}

[ -x "$program" ] || say "not installed"
case "$person" in
    "" | root | loginwindow | _mbsetupuser) [ -n "$PARLEY_PERSON" ] || say "nobody signed in" ;;
esac

folder="$(as_person mktemp -d)" || say "broken: no folder for the report"
# The folder is the person's: root reads and removes nothing there by rights of its own.
trap 'as_person rm -rf "$folder"' EXIT
as_person "$program" --selftest --json --output "$folder/report.json" >/dev/null 2>&1
code=$?
as_person test -f "$folder/report.json" || say "broken: exit $code"
# The sentence of the first check that failed; each member of a check has a line of its own.
sentence="$(as_person cat "$folder/report.json" |
    sed -n '/"status": "fail"/,/"sentence":/s/^ *"sentence": "\(.*\)",\{0,1\}$/\1/p' |
    head -n 1 | sed 's/\\"/"/g')"
case "$code" in
    0) say "ok" ;;
    10) say "user: $sentence" ;;
    20) say "IT: $sentence" ;;
    30) say "vendor: $sentence" ;;
    *) say "broken: exit $code" ;;
esac
