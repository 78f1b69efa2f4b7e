#!/usr/bin/env bash
# Writes FOLDER/SHA256SUMS of the archives in it: ci/release/checksums.sh FOLDER
set -euo pipefail
cd "$1"

sha256sum -- rehearse-*.tar.gz >SHA256SUMS
