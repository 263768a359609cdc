#!/bin/bash
# Script of a Jamf Pro policy (trigger: recurring check-in): fails, so that the policy is listed as
# failed with the reason in its log, where IT or the vendor has to act (20, 30) or Parley does not
# start; ends with 0 where all is well (0), where the user can mend it (10), where Parley is not
# installed, and where nobody is signed in. It was never run on a Mac.
program="${PARLEY_PROGRAM:-/Applications/Parley.app/Contents/MacOS/Parley}"
person="${PARLEY_PERSON:-$(stat -f %Su /dev/console)}"

as_person() {
    if [ "$(id -un)" = "$person" ]; then
        "$@"
    else
        launchctl asuser "$(id -u "$person")" sudo -u "$person" "$@"
    fi
}

if [ ! -x "$program" ]; then
    echo "Parley is not installed."
    exit 0
fi
case "$person" in
    "" | root | loginwindow | _mbsetupuser)
        if [ -z "$PARLEY_PERSON" ]; then
            echo "Nobody is signed in."
            exit 0
        fi
        ;;
esac

folder="$(as_person mktemp -d)" || exit 1
# The folder is the person's: root reads and removes nothing there by rights of its own.
trap 'as_person rm -rf "$folder"' EXIT
as_person "$program" --selftest --json --output "$folder/report.json"
code=$?
if ! as_person test -f "$folder/report.json"; then
    echo "Parley wrote no report and ended with $code."
    exit 1
fi
as_person cat "$folder/report.json"
case "$code" in
    0 | 10) exit 0 ;;
    *) exit 1 ;;
esac
