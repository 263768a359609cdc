# Signs everything below a folder that Windows runs or installs: EXE, DLL, PYD and MSI files.
# What its maker signed (Microsoft, Qt, Python) gets ours as a second signature, so that application
# control may allow it by either publisher.
# The certificate comes from the environment: see ..\README.md. It was never run.
param([Parameter(Mandatory)][string]$Folder)
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true

$signtool = Get-ChildItem "${env:ProgramFiles(x86)}\Windows Kits\10\bin\*\x64\signtool.exe" |
    Sort-Object FullName | Select-Object -Last 1 -ExpandProperty FullName
if (-not $signtool) { throw "signtool.exe is missing: install the Windows SDK." }
if (-not $env:PARLEY_SIGN_TIMESTAMP_URL) {
    throw "Set PARLEY_SIGN_TIMESTAMP_URL: without a time stamp signatures end with the certificate."
}

$options = @("sign", "/fd", "SHA256", "/td", "SHA256", "/tr", $env:PARLEY_SIGN_TIMESTAMP_URL)
$options += @("/d", "Parley")
$mine = "Cert:\CurrentUser\My"
$imported = $null
if ($env:PARLEY_WINDOWS_THUMBPRINT) {
    $thumbprint = $env:PARLEY_WINDOWS_THUMBPRINT
} elseif ($env:PARLEY_WINDOWS_PFX) {
    # By way of the store: a password among signtool's arguments could be read by every process.
    $secret = [Security.SecureString]::new()
    "$env:PARLEY_WINDOWS_PFX_PASSWORD".ToCharArray() | ForEach-Object { $secret.AppendChar($_) }
    $known = @(Get-ChildItem $mine | ForEach-Object Thumbprint)
    $thumbprint = Import-PfxCertificate -FilePath $env:PARLEY_WINDOWS_PFX -Password $secret `
        -CertStoreLocation $mine | Where-Object HasPrivateKey |
        Select-Object -First 1 -ExpandProperty Thumbprint
    if (-not $thumbprint) { throw "PARLEY_WINDOWS_PFX holds no certificate with its key." }
    if ($thumbprint -notin $known) { $imported = "$mine\$thumbprint" }
} else {
    throw "Set PARLEY_WINDOWS_PFX or PARLEY_WINDOWS_THUMBPRINT: there is nothing to sign with."
}
$options += @("/sha1", $thumbprint)

$files = @(Get-ChildItem $Folder -Recurse -File -Include "*.exe", "*.dll", "*.pyd", "*.msi")
$others = @($files | Where-Object { (Get-AuthenticodeSignature $_.FullName).Status -eq "Valid" })
$unsigned = @($files | Where-Object { $_ -notin $others })
try {
    foreach ($kind in @{ Files = $unsigned; More = @() }, @{ Files = $others; More = @("/as") }) {
        for ($at = 0; $at -lt $kind.Files.Count; $at += 40) {
            $last = [Math]::Min($at + 39, $kind.Files.Count - 1)
            $some = @($kind.Files[$at..$last].FullName)
            $more = $kind.More
            & $signtool @options @more @some
            if ($LASTEXITCODE -ne 0) { throw "signtool ended with $LASTEXITCODE." }
        }
    }
} finally {
    if ($imported) { Remove-Item $imported -DeleteKey }
}

$bad = Get-ChildItem $Folder -Recurse -File -Include "*.exe", "*.dll", "*.pyd", "*.msi" |
    Where-Object { (Get-AuthenticodeSignature $_.FullName).Status -ne "Valid" }
if ($bad) { throw "These files bear no valid signature: $($bad.Name -join ', ')" }
"Signed $($files.Count) files below $Folder."
