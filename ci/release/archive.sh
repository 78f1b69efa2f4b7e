#!/usr/bin/env bash
# Makes FOLDER/rehearse-VERSION-TARGET.tar.gz of a binary that runs here: ci/release/archive.sh TARGET BINARY FOLDER
set -euo pipefail

target=$1 binary=$(realpath "$2")
mkdir -p "$3"
folder=$(realpath "$3")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

name=rehearse-$(ci/release/version.sh)-$target
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
made=$scratch/$name
mkdir -p "$made/completions"

install -m 755 "$binary" "$made/rehearse"
install -m 644 README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT SECURITY.md THIRD-PARTY.md "$made"
"$binary" man "$made/man/man1"
"$binary" completions bash >"$made/completions/rehearse.bash"
"$binary" completions zsh >"$made/completions/_rehearse"
"$binary" completions fish >"$made/completions/rehearse.fish"
"$binary" completions elvish >"$made/completions/rehearse.elv"
"$binary" completions powershell >"$made/completions/_rehearse.ps1"

tar -C "$scratch" -czf "$folder/$name.tar.gz" "$name"
printf '%s\n' "$folder/$name.tar.gz"
