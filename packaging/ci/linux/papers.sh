#!/usr/bin/env bash
# Writes the papers over everything in out/packages: bill of materials, notices, SHA256SUMS and,
# where PARLEY_SIGN_CERT and PARLEY_SIGN_KEY are set, its signature. Fetch all bundles into
# out/bundle and all packages into out/packages first. It was never run by a CI: see ../README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

.ci/setup test
make policies
make materials
(cd out/packages && sha256sum --check --strict --quiet SHA256SUMS)
