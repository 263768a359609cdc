# Detection of Parley for all users, for Intune (Win32 app, custom script, 64-bit) and SCCM
# (detection method): writes a line and ends with 0 where this version or a newer one is there,
# writes nothing and ends with 1 (Intune) where not. For SCCM set $AbsentExitCode to 0: it reads
# another one as a failed script. It was never run on Windows.
$WantedVersion = [version]"0.1.0"
$AbsentExitCode = 1

$program = Join-Path $env:ProgramW6432 "Parley\parley.exe"
if (-not $env:ProgramW6432) { $program = Join-Path $env:ProgramFiles "Parley\parley.exe" }
if (Test-Path $program) {
    $numbers = (Get-Item $program).VersionInfo
    $found = [version]::new(
        $numbers.FileMajorPart, $numbers.FileMinorPart, $numbers.FileBuildPart)
    if ($found -ge $WantedVersion) {
        "Parley $found is installed."
        exit 0
    }
}
exit $AbsentExitCode
