#!/usr/bin/env bash
# Prints the version of Cargo.toml; with a tag, fails unless the tag is that of this version: ci/release/version.sh [TAG]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(cargo pkgid | sed 's/.*[#@]//')
if [[ -n ${1:-} && $1 != "v$version" ]]; then
  echo "the tag is $1, and the version in Cargo.toml is $version: the tag must be v$version" >&2
  exit 1
fi
printf '%s\n' "$version"
