#!/usr/bin/env bash
# Finds out which rehearse runs: the binary that was given, or that of a release, checked against its checksum and kept for later jobs.
set -euo pipefail
# shellcheck source=action/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ -n $INPUT_BINARY ]]; then
  [[ -f $INPUT_BINARY && -x $INPUT_BINARY ]] || fail "\`binary\` is no program: $INPUT_BINARY"
  output path "$(cd -- "$(dirname -- "$INPUT_BINARY")" && pwd)/$(basename -- "$INPUT_BINARY")"
  exit
fi

# An action at some version brings the rehearse of that version.
version=${INPUT_VERSION:-$(sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)}
version=${version#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "\`version\` is no version such as 1.2.3: $version"

case $RUNNER_OS-$RUNNER_ARCH in
  Linux-X64) target=x86_64-unknown-linux-gnu ;;
  Linux-ARM64) target=aarch64-unknown-linux-gnu ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  *) fail "there is no release of rehearse for $RUNNER_OS on $RUNNER_ARCH; use a Linux or macOS runner, or give one that you built as \`binary\`" ;;
esac

home=${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/rehearse/$version/$RUNNER_ARCH
if [[ ! -x $home/rehearse ]]; then
  releases=$GITHUB_SERVER_URL/${ACTION_REPOSITORY:-$GITHUB_REPOSITORY}/releases/download/v$version
  name=rehearse-$version-$target
  archive=$name.tar.gz
  folder=$(mktemp -d "${RUNNER_TEMP:?}/install.XXXXXX")
  for file in "$archive" SHA256SUMS; do
    curl --fail --silent --show-error --location --proto-redir '=https' --retry 3 --output "$folder/$file" "$releases/$file" ||
      fail "rehearse $version could not be fetched: $releases/$file"
  done

  wanted=$(awk -v file="$archive" '$2 == file || $2 == "*" file { print $1 }' "$folder/SHA256SUMS")
  if command -v sha256sum >/dev/null; then checksum=(sha256sum); else checksum=(shasum -a 256); fi
  found=$("${checksum[@]}" <"$folder/$archive" | cut -d ' ' -f 1)
  [[ -n $wanted && $found == "$wanted" ]] ||
    fail "$archive is not what was released: its SHA-256 is $found, and SHA256SUMS says ${wanted:-nothing of it}"

  tar -xzf "$folder/$archive" -C "$folder"
  mkdir -p "$home"
  # Another job may install at the same time: what has the final name is always whole.
  mv "$folder/$name/rehearse" "$home/rehearse.$$"
  mv "$home/rehearse.$$" "$home/rehearse"
fi
"$home/rehearse" --version
output path "$home/rehearse"
