# Detection script of an Intune remediation: 0 without issues, 1 with issues. Leave the remediation
# script empty. Run it with the logged-on credentials, in 64-bit PowerShell, at most every few hours.
# It was never run on Windows.
$program = Join-Path $env:ProgramW6432 "Parley\parley.exe"
if (-not (Test-Path $program)) { $program = Join-Path $env:LOCALAPPDATA "Programs\Parley\parley.exe" }
if (-not (Test-Path $program)) { "not installed"; exit 0 }

$report = Join-Path $env:TEMP "parley-selftest-$PID.json"
try {
    $run = Start-Process $program -PassThru -WindowStyle Hidden -ArgumentList @(
        "--selftest", "--json", "--output", "`"$report`"")
    $null = $run.Handle
    if (-not $run.WaitForExit(180000)) { $run.Kill(); "broken: no answer in three minutes"; exit 1 }
    $code = $run.ExitCode
    if (-not (Test-Path $report)) { "broken: exit $code"; exit 1 }
    $told = Get-Content $report -Raw -Encoding UTF8 | ConvertFrom-Json
    $first = $told.checks | Where-Object { $_.status -eq "fail" } | Select-Object -First 1
    switch ($code) {
        0 { "ok"; exit 0 }
        10 { "user: $($first.sentence)"; exit 0 }
        20 { "IT: $($first.sentence)"; exit 1 }
        30 { "vendor: $($first.sentence)"; exit 1 }
        default { "broken: exit $code"; exit 1 }
    }
} finally {
    Remove-Item $report -ErrorAction SilentlyContinue
}
