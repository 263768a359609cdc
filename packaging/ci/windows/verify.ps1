# Verifies the signed MSIs, then installs, tries, repairs and removes the machine package.
# Run it on a computer that may be changed, as an administrator. It was never run: see ..\README.md.
param([Parameter(Mandatory)][string]$Folder)
$ErrorActionPreference = "Stop"

function Invoke-Installer([string[]]$Arguments) {
    $log = Join-Path $env:TEMP "parley-msi.log"
    $done = Start-Process msiexec -Wait -PassThru -ArgumentList ($Arguments + @(
        "/qn", "/norestart", "/l*v", "`"$log`""))
    if ($done.ExitCode -notin 0, 3010) {
        Get-Content $log -Tail 80
        throw "msiexec $($Arguments -join ' ') ended with $($done.ExitCode)."
    }
}

foreach ($package in Get-ChildItem $Folder -Filter *.msi) {
    $signature = Get-AuthenticodeSignature $package.FullName
    if ($signature.Status -ne "Valid") { throw "$($package.Name): $($signature.StatusMessage)" }
    if (-not $signature.TimeStamperCertificate) { throw "$($package.Name) bears no time stamp." }
}

$package = (Get-ChildItem $Folder -Filter *-x64-machine.msi | Select-Object -First 1).FullName
Invoke-Installer @("/i", "`"$package`"", "BACKEND_URL=https://parley.invalid", "AUTOSTART=0")
$program = Join-Path $env:ProgramFiles "Parley\parley.exe"
$unsigned = Get-ChildItem (Split-Path $program) -Recurse -File -Include "*.exe", "*.dll", "*.pyd" |
    Where-Object { (Get-AuthenticodeSignature $_.FullName).Status -ne "Valid" }
if ($unsigned) { throw "Installed without a valid signature: $($unsigned.Name -join ', ')" }

$report = Join-Path $env:TEMP "parley-selftest.json"
$test = Start-Process $program -Wait -PassThru -ArgumentList @(
    "--selftest", "--json", "--output", "`"$report`"")
# The address leads nowhere, so the service can't be reached: that is a finding, not a crash.
if ($test.ExitCode -notin 10, 20) { throw "The self-test ended with $($test.ExitCode)." }
if (-not (Get-Content $report -Raw | ConvertFrom-Json).checks) { throw "The report is empty." }

Invoke-Installer @("/fa", "`"$package`"")
Invoke-Installer @("/x", "`"$package`"")
if (Test-Path $program) { throw "The program is still there after the removal." }
"Verified: signatures, installation, self-test, repair, removal."
