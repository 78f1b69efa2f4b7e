#!/usr/bin/env bash
# Prints what the changelog says of a version; fails where it says nothing: ci/release/notes.sh VERSION
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

notes=$(awk -v heading="## [$1]" '
  index($0, "## [") == 1 { inside = index($0, heading) == 1; next }
  inside && !/^\[[^]]*\]: / { print }
' "${CHANGELOG:-CHANGELOG.md}")
if [[ -z ${notes//[[:space:]]/} ]]; then
  echo "CHANGELOG.md has no section [$1]" >&2
  exit 1
fi
printf '%s\n' "$notes" | sed '/./,$!d'
