# Builds out\bundle\windows with PyInstaller from packaging\app.spec, on Windows, with Python 3.13.
# It signs nothing. It was never run: see ..\README.md.
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true
Set-Location (Join-Path $PSScriptRoot "..\..\..")

$python = "build\python\Scripts\python.exe"
py -3.13 -m venv --clear build\python
& $python -m pip install --require-hashes --only-binary ":all:" --no-deps `
    -r packaging\requirements\run.txt
& $python -m pip install --require-hashes --only-binary ":all:" --no-deps `
    --target build\tools -r packaging\requirements\packaging.txt

$env:PYTHONPATH = "build\tools;packaging"
$env:PYTHONHASHSEED = "0"
$env:SOURCE_DATE_EPOCH = git log -1 "--format=%ct"
$env:QT_QPA_PLATFORM = "offscreen"
$env:PARLEY_BUNDLE_ICON = & $python -c `
    "from installers.windows import resources; print(resources.icon())"
$env:PARLEY_BUNDLE_VERSIONS = & $python -c `
    "from installers.windows import resources as r; r.version_file('parley'); print(r.version_file('parley-backend').parent)"
Remove-Item Env:QT_QPA_PLATFORM
& $python -m PyInstaller --noconfirm --log-level WARN `
    --distpath build\dist --workpath build\work packaging\app.spec

New-Item -ItemType Directory -Force out\bundle | Out-Null
Remove-Item -Recurse -Force out\bundle\windows -ErrorAction SilentlyContinue
Move-Item build\dist\parley out\bundle\windows
$report = "build\selftest.json"
Start-Process "out\bundle\windows\parley.exe" -Wait -ArgumentList @(
    "--selftest", "--json", "--output", $report)
$told = Get-Content $report -Raw | ConvertFrom-Json
if (-not $told.version) { throw "The packaged Parley wrote no report." }
"Built Parley $($told.version); its self-test ends with $($told.exit_code) here."
