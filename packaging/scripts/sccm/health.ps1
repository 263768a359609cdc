# Discovery script of an SCCM configuration item (setting: script, data type integer). It writes the
# self-test's exit code: compliant are 0 and 10 (rule "one of"), 20 is IT's, 30 the vendor's, 99 means
# that Parley does not start. Run it with the logged-on user's credentials. It was never run on Windows.
$program = Join-Path $env:ProgramW6432 "Parley\parley.exe"
if (-not (Test-Path $program)) { $program = Join-Path $env:LOCALAPPDATA "Programs\Parley\parley.exe" }
if (-not (Test-Path $program)) { 0; exit 0 }

$report = Join-Path $env:TEMP "parley-selftest-$PID.json"
try {
    $run = Start-Process $program -PassThru -WindowStyle Hidden -ArgumentList @(
        "--selftest", "--json", "--output", "`"$report`"")
    $null = $run.Handle
    if (-not $run.WaitForExit(180000)) { $run.Kill(); 99; exit 0 }
    if ((Test-Path $report) -and ($run.ExitCode -in 0, 10, 20, 30)) { $run.ExitCode } else { 99 }
} finally {
    Remove-Item $report -ErrorAction SilentlyContinue
}
exit 0
