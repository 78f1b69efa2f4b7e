#!/usr/bin/env bash
# Makes the npm packages of the archives in FOLDER and publishes them, those of the platforms first: ci/release/npm.sh FOLDER
# [OPTION…]; the options go to npm publish. What is published already is left, so that a release can be tried again.
set -euo pipefail

folder=$(realpath "$1")
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
binaries=()
for archive in "$folder"/rehearse-*.tar.gz; do
  name=$(basename "$archive" .tar.gz)
  tar -C "$scratch" -xzf "$archive" "$name/rehearse"
  binaries+=("${name#rehearse-"$(ci/release/version.sh)"-}=$scratch/$name/rehearse")
done
npm/build "$scratch/packed" "${binaries[@]}" >"$scratch/list"
while read -r package; do
  if published=$(tar -xzOf "$package" package/package.json | node -p 'const it = JSON.parse(require("fs").readFileSync(0)); it.name + "@" + it.version') &&
    npm view "$published" version >/dev/null 2>&1; then
    echo "$published is published already"
  else
    npm publish "$package" --access public "$@"
  fi
done <"$scratch/list"
